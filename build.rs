//! Compiles the protos: record messages into one module, those of evidence bundles into another,
//! services into a third, and the descriptors, with comments and custom options, into one file
//! for reflection and JSON.

use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(protos(Path::new("proto"))?)?;
    std::fs::write(
        out.join("onrecord.descriptors"),
        compiler.encode_file_descriptor_set(),
    )?;
    let descriptors = compiler.file_descriptor_set();

    let mut records = descriptors.clone();
    records
        .file
        .retain(|file| !["onrecord.v1", "onrecord.bundle.v1"].contains(&file.package()));
    messages().compile_fds(records)?;

    let mut bundles = descriptors.clone();
    bundles
        .file
        .retain(|file| file.package() == "onrecord.bundle.v1");
    messages()
        .extern_path(".onrecord.record.v1", "crate::record::proto")
        .compile_fds(bundles)?;

    if std::env::var_os("CARGO_FEATURE_DAEMON").is_some() {
        let mut services = descriptors;
        services
            .file
            .retain(|file| file.package() != "onrecord.bundle.v1");
        tonic_prost_build::configure()
            .extern_path(".onrecord.record.v1", "crate::record::proto")
            .compile_fds_with_config(services, messages())?;
    }
    Ok(())
}

fn messages() -> prost_build::Config {
    let mut config = prost_build::Config::new();
    config.bytes(["."]).enable_type_names();
    config
}

fn protos(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(protos(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
