//! How the binary is linked on Linux, for the memory that it holds from the start on.
//!
//! - Packed relocations (`DT_RELR`, glibc 2.36 and later): their tables shrink from 1.3 MB to a few kilobytes.
//! - `deploy/startup.order`: the functions that a start and an idle process call stand side by side. Memory is mapped in pieces that
//!   are larger than a function, so scattered ones hold four times their size. A name in the file that is not there any more does
//!   nothing; `deploy/order` writes the file anew. Only Rust's own linker for this target knows the option.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=deploy/startup.order");
    let var = |name: &str| env::var(name).unwrap_or_default();
    let is_gnu = var("CARGO_CFG_TARGET_OS") == "linux" && var("CARGO_CFG_TARGET_ENV") == "gnu";
    if !is_gnu {
        return;
    }
    link("-z,pack-relative-relocs");
    let own_linker =
        var("RUSTC_LINKER").is_empty() && !var("CARGO_ENCODED_RUSTFLAGS").contains("link");
    if var("PROFILE") == "release" && var("CARGO_CFG_TARGET_ARCH") == "x86_64" && own_linker {
        let order = format!("{}/deploy/startup.order", var("CARGO_MANIFEST_DIR"));
        link(&format!("--symbol-ordering-file={order}"));
        link("--no-warn-symbol-ordering");
    }
}

fn link(option: &str) {
    println!("cargo:rustc-link-arg-bins=-Wl,{option}");
}
