//! Signing and cosigning, on a home and a tree in memory.

mod cosigning;
mod fixture;
mod signing;
