//! Where a row group's finished pages wait until it is closed: in memory up to a limit, beyond it in a file.
//!
//! Parquet wants a column's pages together while rows bring all columns at once, so a wide row group waits
//! for long. The file lies on the device of the output, has no name and goes with its writer.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use parquet::arrow::arrow_writer::{PageKey, PageStore, PageStoreArgs, PageStoreFactory};
use parquet::errors::{ParquetError, Result};

use crate::sink::local::scratch::Scratch;

/// The pages of one Parquet file in the making.
#[derive(Debug)]
pub(crate) struct PageSpill {
    pool: Arc<Mutex<Pool>>,
}

#[derive(Debug)]
struct Pool {
    /// How many bytes may still wait in memory.
    room: usize,
    scratch: Scratch,
    file: Option<File>,
    /// Where the next page goes in the file.
    end: u64,
    /// How many pages are in the file.
    pages: usize,
}

impl PageSpill {
    /// Keeps `room` bytes in memory, and the rest in a file of `scratch`.
    pub(crate) fn new(scratch: Scratch, room: usize) -> Self {
        Self { pool: Arc::new(Mutex::new(Pool { room, scratch, file: None, end: 0, pages: 0 })) }
    }
}

impl PageStoreFactory for PageSpill {
    fn create(&self, _args: &PageStoreArgs<'_>) -> Result<Box<dyn PageStore>> {
        Ok(Box::new(Column { pool: Arc::clone(&self.pool), pages: Vec::new() }))
    }
}

impl Pool {
    fn put(&mut self, page: Bytes) -> Result<Page> {
        if page.len() <= self.room {
            self.room -= page.len();
            return Ok(Page::Memory(page));
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.scratch.file()?),
        };
        let offset = self.end;
        file.write_all_at(&page, offset)?;
        self.end += page.len() as u64;
        self.pages += 1;
        Ok(Page::File { offset, length: page.len() })
    }

    fn take(&mut self, page: Page) -> Result<Bytes> {
        match page {
            Page::Memory(page) => {
                self.room += page.len();
                Ok(page)
            }
            Page::File { offset, length } => {
                let file = self.file.as_ref().ok_or_else(no_such_page)?;
                let mut page = vec![0; length];
                file.read_exact_at(&mut page, offset)?;
                self.pages -= 1;
                if self.pages == 0 {
                    self.end = 0;
                }
                Ok(page.into())
            }
        }
    }
}

/// The pages of one column of one row group.
struct Column {
    pool: Arc<Mutex<Pool>>,
    pages: Vec<Option<Page>>,
}

enum Page {
    Memory(Bytes),
    File { offset: u64, length: usize },
}

impl Column {
    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PageStore for Column {
    fn put(&mut self, value: Bytes) -> Result<PageKey> {
        let page = self.pool().put(value)?;
        self.pages.push(Some(page));
        Ok(PageKey::new(self.pages.len() as u64 - 1))
    }

    fn take(&mut self, key: PageKey) -> Result<Bytes> {
        let slot = usize::try_from(key.get()).ok().and_then(|index| self.pages.get_mut(index));
        let page = slot.and_then(Option::take).ok_or_else(no_such_page)?;
        self.pool().take(page)
    }

    fn memory_size(&self) -> usize {
        let sizes = self.pages.iter().flatten().map(|page| match page {
            Page::Memory(page) => page.len(),
            Page::File { .. } => 0,
        });
        sizes.sum()
    }
}

fn no_such_page() -> ParquetError {
    ParquetError::General("a page is asked for that is not there".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn pages_come_back_from_memory_and_from_a_file_without_a_name() {
        let folder = TempDir::new().unwrap();
        let spill = PageSpill::new(Scratch::beside(&folder.path().join("out")), 10);
        let state = || {
            let pool = spill.pool.lock().unwrap();
            (pool.room, pool.end, pool.pages)
        };
        let mut columns = [0, 1].map(|_| Column { pool: Arc::clone(&spill.pool), pages: Vec::new() });
        for round in 0..3_u8 {
            let page = |index: u8, length| Bytes::from(vec![round * 10 + index; length]);
            let kept = columns[0].put(page(0, 8)).unwrap();
            let spilled = [columns[0].put(page(1, 5)).unwrap(), columns[1].put(page(2, 7)).unwrap()];
            assert_eq!(state(), (2, 12, 2));
            assert_eq!((columns[0].memory_size(), columns[1].memory_size()), (8, 0));
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

            assert_eq!(columns[0].take(kept).unwrap(), page(0, 8));
            assert_eq!(columns[1].take(spilled[1]).unwrap(), page(2, 7));
            assert_eq!(columns[0].take(spilled[0]).unwrap(), page(1, 5));
            assert!(columns[0].take(spilled[0]).is_err());
            assert_eq!(state(), (10, 0, 0));
        }
    }
}
