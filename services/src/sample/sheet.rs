//! One file being written: rows of text, or a workbook.

use anyhow::Context;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook};
use std::fs::File;
use std::path::{Path, PathBuf};

use super::cell::{Cell, Style};
use super::layout::Column;

/// A file being written.
pub struct Sheet {
    path: PathBuf,
    columns: Vec<Column>,
    style: Style,
    rows: u64,
    body: Body,
}

enum Body {
    Text(Box<csv::Writer<File>>),
    Workbook(Box<Book>),
}

struct Book {
    workbook: Workbook,
    day: Format,
    moment: Format,
}

impl Sheet {
    /// Begins a file and writes its headers.
    pub fn begun(path: PathBuf, columns: Vec<Column>, style: Style, workbook: bool) -> anyhow::Result<Self> {
        let body =
            if workbook { Body::Workbook(Box::new(Book::begun(&columns)?)) } else { begun_text(&path, &columns)? };
        Ok(Self { path, columns, style, rows: 0, body })
    }

    /// Writes a row of the full layout in the plan's own.
    pub fn push(&mut self, row: &[Cell]) -> anyhow::Result<()> {
        self.rows += 1;
        let cells = self.columns.iter().map(|column| column.cell(row));
        match &mut self.body {
            Body::Text(writer) => {
                writer.write_record(cells.map(|cell| self.style.written(&cell)))?;
            }
            Body::Workbook(book) => {
                let number = u32::try_from(self.rows).context("a worksheet has fewer rows than that")?;
                for (place, cell) in (0_u16..).zip(cells) {
                    book.write(number, place, &cell, self.style)?;
                }
            }
        }
        Ok(())
    }

    /// Ends the file; answers where it is and how many rows it has.
    pub fn finished(self) -> anyhow::Result<(PathBuf, u64)> {
        match self.body {
            Body::Text(mut writer) => writer.flush().with_context(|| format!("writing {}", self.path.display()))?,
            Body::Workbook(mut book) => {
                book.workbook.save(&self.path).with_context(|| format!("writing {}", self.path.display()))?;
            }
        }
        Ok((self.path, self.rows))
    }
}

fn begun_text(path: &Path, columns: &[Column]) -> anyhow::Result<Body> {
    let mut writer = csv::Writer::from_path(path).with_context(|| format!("creating {}", path.display()))?;
    writer.write_record(columns.iter().map(|column| column.header))?;
    Ok(Body::Text(Box::new(writer)))
}

impl Book {
    fn begun(columns: &[Column]) -> anyhow::Result<Self> {
        let mut workbook = Workbook::new();
        // A fixed creation date, so that one seed gives one file.
        let created = ExcelDateTime::from_ymd(2025, 7, 5)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
        let worksheet = workbook.add_worksheet();
        for (place, column) in (0_u16..).zip(columns) {
            worksheet.write_string(0, place, column.header)?;
        }
        let day = Format::new().set_num_format("mm/dd/yyyy");
        Ok(Self { workbook, day, moment: Format::new().set_num_format("mm/dd/yyyy hh:mm") })
    }

    fn write(&mut self, row: u32, place: u16, cell: &Cell, style: Style) -> anyhow::Result<()> {
        let worksheet = self.workbook.worksheet_from_index(0)?;
        match cell {
            Cell::Empty => {}
            Cell::Day(day) => {
                worksheet.write_datetime_with_format(row, place, day, &self.day)?;
            }
            Cell::Moment(moment) => {
                worksheet.write_datetime_with_format(row, place, moment, &self.moment)?;
            }
            Cell::Count(count) => {
                worksheet.write_number(row, place, *count)?;
            }
            Cell::Text(_) | Cell::Period(_) | Cell::Flag(_) | Cell::NoSuchDay | Cell::NoSuchMoment => {
                worksheet.write_string(row, place, style.written(cell))?;
            }
        }
        Ok(())
    }
}
