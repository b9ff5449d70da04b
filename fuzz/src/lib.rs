//! What the fuzz targets have in common: slow and obvious versions of what the server does fast, to be compared with it.

pub mod coding;
pub mod matcher;
pub mod memory;
pub mod spelling;
