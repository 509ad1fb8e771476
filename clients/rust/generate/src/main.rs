//! Makes `src/generated` and what the conformance driver needs from the contract's descriptors.
//!
//! ```text
//! cargo run -p generate -- contract.binpb            write what has changed
//! cargo run -p generate -- contract.binpb --check    write nothing; name what differs and exit with status 1
//! ```
//!
//! `contract.binpb` is a descriptor set with its imports and comments, as `buf build proto -o contract.binpb` makes it.

mod methods;
mod secrets;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use prost::Message;
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorSet;

const PACKAGE: &str = "twofactor.v1";

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let descriptors = arguments.iter().find(|one| !one.starts_with("--"));
    let descriptors = descriptors.ok_or("the path of the contract's descriptors is missing")?;
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let stale: Files = generated(&fs::read(descriptors)?, &crate_folder)?
        .into_iter()
        .filter(|(path, fresh)| fs::read(crate_folder.join(path)).ok().as_ref() != Some(fresh))
        .collect();
    if arguments.iter().any(|one| one == "--check") {
        for path in stale.keys() {
            eprintln!("not what the contract generates: clients/rust/{}", path.display());
        }
        process::exit(i32::from(!stale.is_empty()));
    }
    for (path, fresh) in stale {
        fs::write(crate_folder.join(&path), fresh)?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Every generated file, by its path in the crate.
fn generated(descriptors: &[u8], crate_folder: &Path) -> Result<Files, Box<dyn Error>> {
    let pool = DescriptorPool::decode(descriptors)?;
    let config = fs::read(crate_folder.join("../../proto/twofactor/v1/service_config.json"))?;
    Ok(Files::from([
        ("src/generated/twofactor.v1.rs".into(), messages(descriptors, &pool)?),
        ("src/generated/secrets.rs".into(), formatted(&secrets::debug_impls(&pool))?),
        ("src/generated/methods.rs".into(), formatted(&methods::client_methods(&pool))?),
        ("src/generated/service_config.json".into(), config),
        ("examples/conformance_driver/dispatch.rs".into(), formatted(&methods::dispatch(&pool))?),
        ("examples/conformance_driver/contract.binpb".into(), bare(descriptors)?),
    ]))
}

fn messages(descriptors: &[u8], pool: &DescriptorPool) -> Result<Vec<u8>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut config = prost_build::Config::new();
    config.out_dir(folder.path());
    config.skip_debug(secrets::holders(pool));
    config.compile_fds(FileDescriptorSet::decode(descriptors)?)?;
    Ok(fs::read(folder.path().join("twofactor.v1.rs"))?)
}

/// The descriptors without comments: what the driver needs for JSON.
fn bare(descriptors: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut set = FileDescriptorSet::decode(descriptors)?;
    for file in &mut set.file {
        file.source_code_info = None;
    }
    Ok(set.encode_to_vec())
}

fn formatted(source: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let header = "// Made from the contract by `cargo run -p generate`; do not edit.\n";
    let code = prettyplease::unparse(&syn::parse_file(source)?);
    Ok(format!("{header}{code}").into_bytes())
}

/// `snake_case` to `UpperCamelCase`, as prost names oneofs and their variants.
fn camel(snake: &str) -> String {
    let word = |part: &str| part[..1].to_uppercase() + &part[1..];
    snake.split('_').map(word).collect()
}

/// `UpperCamelCase` to `snake_case`, as prost names modules and we name methods.
fn snake(camel: &str) -> String {
    let mut result = String::new();
    for (index, letter) in camel.char_indices() {
        let starts_word = letter.is_uppercase() && index > 0 && !camel[index - 1..].starts_with(char::is_uppercase);
        if starts_word {
            result.push('_');
        }
        result.push(letter.to_ascii_lowercase());
    }
    result
}
