//! What the crates depend on.

use std::fs;
use std::path::{Path, PathBuf};

use super::{none, root};

/// The crate that all adapters are written against.
const SEAM: &str = "transom-adapter";

#[test]
fn adapters_depend_on_the_seam_alone() {
    let protocols = crates_in("adapters/protocols");
    let protocol_names: Vec<String> = protocols.iter().map(|path| name_of(path)).collect();
    let mut faults = Vec::new();
    for manifest in crates_in("adapters") {
        for dependency in own_dependencies(&manifest) {
            let allowed = dependency == SEAM || protocol_names.contains(&dependency);
            if !allowed || name_of(&manifest) == SEAM {
                faults.push(format!("{}: {dependency}", manifest.display()));
            }
        }
    }
    for manifest in protocols {
        for dependency in own_dependencies(&manifest) {
            faults.push(format!("{}: {dependency}", manifest.display()));
        }
    }
    none(
        &faults,
        "an adapter may use transom-adapter and protocol crates, and nothing else of ours",
    );
}

#[test]
fn the_test_servers_know_nothing_of_the_gateway() {
    let manifest = root().join("tests/servers/Cargo.toml");
    none(
        &own_dependencies(&manifest),
        "tests/servers must stay independent of what it judges",
    );
}

/// The manifests of the crates one level below a folder.
fn crates_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder))
        .into_iter()
        .flatten()
        .flatten();
    let manifests = entries.map(|entry| entry.path().join("Cargo.toml"));
    manifests.filter(|manifest| manifest.is_file()).collect()
}

fn name_of(manifest: &Path) -> String {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("name = "));
    name.unwrap_or_default().trim_matches('"').to_owned()
}

/// Dependencies, of any kind, on crates of this workspace; a crate's own name is none.
fn own_dependencies(manifest: &Path) -> Vec<String> {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let own = name_of(manifest);
    let mut section = "";
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        }
        let key = if section.ends_with("dependencies") {
            line.split(['.', '=', ' ']).next().unwrap_or_default()
        } else if section.contains("dependencies.") {
            section.rsplit('.').next().unwrap_or_default()
        } else {
            continue;
        };
        let ours = key == "transom" || key.starts_with("transom-");
        if ours && key != own && !found.iter().any(|name| name == key) {
            found.push(key.to_owned());
        }
    }
    found
}
