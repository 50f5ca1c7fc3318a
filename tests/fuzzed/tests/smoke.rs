//! Every fuzz target by count: over its seeds, and over what a few seeded damages make of them. The same inputs each time.
#![expect(
    clippy::panic,
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "a failing test panics"
)]

use std::{collections::BTreeSet, fs, ops::Range, path::Path};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// One thing done to an input. Places are parts of its length, so that they stay inside while it is made smaller.
#[derive(Clone, Debug)]
enum Damage {
    /// Bytes go.
    Cut(Place, usize),
    /// Bytes are there twice.
    Double(Place, usize),
    /// One byte is another one.
    Byte(Place, u8),
    /// What another seed has at that place comes in between.
    Foreign(Place, prop::sample::Index, usize),
}

/// Somewhere in an input.
type Place = prop::sample::Index;

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<Place>;
    // What is special to the formats that are read, and anything.
    let byte = prop_oneof![
        prop::sample::select(&b"\0\n\r\t <>&;'\"\\/=+:@#%-{}[](),.09aA\x80\xc3\xff"[..]),
        any::<u8>()
    ];
    prop_oneof![
        (place(), 1..40_usize).prop_map(|(place, count)| Damage::Cut(place, count)),
        (place(), 1..40_usize).prop_map(|(place, count)| Damage::Double(place, count)),
        (place(), byte).prop_map(|(place, byte)| Damage::Byte(place, byte)),
        (place(), place(), 1..40_usize)
            .prop_map(|(place, other, count)| Damage::Foreign(place, other, count)),
    ]
}

impl Damage {
    fn apply(&self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let range = |place: &Place, length: usize, count: usize| -> Range<usize> {
            let start = place.index(length + 1);
            start..length.min(start + count)
        };
        let length = input.len();
        match self {
            Self::Cut(place, count) => drop(input.drain(range(place, length, *count))),
            Self::Double(place, count) => {
                let range = range(place, length, *count);
                let end = range.end;
                let bytes = input[range].to_vec();
                input.splice(end..end, bytes);
            }
            Self::Byte(place, byte) => {
                let range = range(place, length, 1);
                input.splice(range, [*byte]);
            }
            Self::Foreign(place, other, count) => {
                let seed = other.get(seeds);
                let bytes = seed[range(other, seed.len(), *count)].to_vec();
                let start = place.index(length + 1);
                input.splice(start..start, bytes);
            }
        }
    }
}

/// The inputs that a target starts from; without any, one that is empty.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz().join("seeds").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|why| panic!("the seeds of {target}: {why}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has no seeds");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn fuzz() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// Runs a target over its seeds and `count` damaged ones.
fn run(name: &str, target: fn(&[u8]), count: u32) {
    let seeds = seeds(name);
    for seed in &seeds {
        target(seed);
    }
    target(b"");
    let config = Config {
        cases: count,
        // Some talk over sockets.
        max_shrink_time: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    let always_the_same = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, always_the_same);
    let inputs = (any::<prop::sample::Index>(), vec(damage(), 1..8));
    let outcome = runner.run(&inputs, |(seed, damages)| {
        let mut input = seed.get(&seeds).clone();
        for damage in &damages {
            damage.apply(&mut input, &seeds);
        }
        target(&input);
        Ok(())
    });
    outcome.unwrap_or_else(|why| panic!("{name}: {why}"));
}

macro_rules! targets {
    ($($name:ident $count:literal),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name), transom_fuzzed::$name, $count);
            }
        )+

        #[test]
        fn every_target_of_the_fuzzer_is_here() {
            let here = BTreeSet::from([$(stringify!($name).to_owned()),+]);
            let files = fs::read_dir(fuzz().join("fuzz_targets")).unwrap();
            let files = files.map(|entry| {
                entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()
            });
            assert_eq!(here, files.collect::<BTreeSet<_>>());
        }
    };
}

// With how many damaged inputs: each a second or two.
targets! {
    answers 300,
    cards 500,
    commands 300,
    config 100,
    delivery_receipt 1_000,
    discovery 500,
    dns 1_000,
    forms 1_000,
    gammu 1_000,
    handling 400,
    http 200,
    imap_replies 200,
    import 50,
    jid 1_000,
    lmtp 100,
    mail 100,
    number 100,
    pictures 300,
    smpp_pdu 1_000,
    smtp_replies 200,
    stanza 1_000,
    webhooks 200,
}
