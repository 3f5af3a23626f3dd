//! The 58 counties of California, by name; their state numbers are 01 to 58 in this order, their FIPS codes 2n - 1.

use crate::string_type::codes;

codes! {
    /// A county of California.
    County {
        /// Alameda, 01.
        Alameda = "alameda",
        /// Alpine, 02.
        Alpine = "alpine",
        /// Amador, 03.
        Amador = "amador",
        /// Butte, 04.
        Butte = "butte",
        /// Calaveras, 05.
        Calaveras = "calaveras",
        /// Colusa, 06.
        Colusa = "colusa",
        /// Contra Costa, 07.
        ContraCosta = "contra-costa",
        /// Del Norte, 08.
        DelNorte = "del-norte",
        /// El Dorado, 09.
        ElDorado = "el-dorado",
        /// Fresno, 10.
        Fresno = "fresno",
        /// Glenn, 11.
        Glenn = "glenn",
        /// Humboldt, 12.
        Humboldt = "humboldt",
        /// Imperial, 13.
        Imperial = "imperial",
        /// Inyo, 14.
        Inyo = "inyo",
        /// Kern, 15.
        Kern = "kern",
        /// Kings, 16.
        Kings = "kings",
        /// Lake, 17.
        Lake = "lake",
        /// Lassen, 18.
        Lassen = "lassen",
        /// Los Angeles, 19.
        LosAngeles = "los-angeles",
        /// Madera, 20.
        Madera = "madera",
        /// Marin, 21.
        Marin = "marin",
        /// Mariposa, 22.
        Mariposa = "mariposa",
        /// Mendocino, 23.
        Mendocino = "mendocino",
        /// Merced, 24.
        Merced = "merced",
        /// Modoc, 25.
        Modoc = "modoc",
        /// Mono, 26.
        Mono = "mono",
        /// Monterey, 27.
        Monterey = "monterey",
        /// Napa, 28.
        Napa = "napa",
        /// Nevada, 29.
        Nevada = "nevada",
        /// Orange, 30.
        Orange = "orange",
        /// Placer, 31.
        Placer = "placer",
        /// Plumas, 32.
        Plumas = "plumas",
        /// Riverside, 33.
        Riverside = "riverside",
        /// Sacramento, 34.
        Sacramento = "sacramento",
        /// San Benito, 35.
        SanBenito = "san-benito",
        /// San Bernardino, 36.
        SanBernardino = "san-bernardino",
        /// San Diego, 37.
        SanDiego = "san-diego",
        /// San Francisco, 38.
        SanFrancisco = "san-francisco",
        /// San Joaquin, 39.
        SanJoaquin = "san-joaquin",
        /// San Luis Obispo, 40.
        SanLuisObispo = "san-luis-obispo",
        /// San Mateo, 41.
        SanMateo = "san-mateo",
        /// Santa Barbara, 42.
        SantaBarbara = "santa-barbara",
        /// Santa Clara, 43.
        SantaClara = "santa-clara",
        /// Santa Cruz, 44.
        SantaCruz = "santa-cruz",
        /// Shasta, 45.
        Shasta = "shasta",
        /// Sierra, 46.
        Sierra = "sierra",
        /// Siskiyou, 47.
        Siskiyou = "siskiyou",
        /// Solano, 48.
        Solano = "solano",
        /// Sonoma, 49.
        Sonoma = "sonoma",
        /// Stanislaus, 50.
        Stanislaus = "stanislaus",
        /// Sutter, 51.
        Sutter = "sutter",
        /// Tehama, 52.
        Tehama = "tehama",
        /// Trinity, 53.
        Trinity = "trinity",
        /// Tulare, 54.
        Tulare = "tulare",
        /// Tuolumne, 55.
        Tuolumne = "tuolumne",
        /// Ventura, 56.
        Ventura = "ventura",
        /// Yolo, 57.
        Yolo = "yolo",
        /// Yuba, 58.
        Yuba = "yuba",
    }
}

impl County {
    /// The state's number of the county, 1 to 58, alphabetic.
    pub fn number(self) -> u8 {
        // The list is alphabetic and has 58 entries, so that its index is the number.
        Self::ALL.iter().zip(1..).find_map(|(county, number)| (*county == self).then_some(number)).unwrap_or(0)
    }

    /// The county's FIPS code within California, 001 to 115.
    pub fn fips(self) -> u8 {
        self.number() * 2 - 1
    }

    /// The county a file means by a name (`Los Angeles`, `LOS ANGELES COUNTY`) or its two-digit number.
    pub fn from_name(text: &str) -> Option<Self> {
        let name = text.trim().to_lowercase();
        let name = name.strip_suffix(" county").unwrap_or(&name).replace(' ', "-");
        name.parse().ok().or_else(|| match name.as_bytes() {
            [a @ b'0'..=b'9', b @ b'0'..=b'9'] => {
                let number = usize::from((a - b'0') * 10 + (b - b'0'));
                Self::ALL.get(number.checked_sub(1)?).copied()
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_58_with_their_numbers() {
        assert_eq!(County::ALL.len(), 58);
        assert_eq!((County::Alameda.number(), County::LosAngeles.number(), County::Yuba.number()), (1, 19, 58));
        assert_eq!((County::LosAngeles.fips(), County::Yuba.fips()), (37, 115));
    }

    #[test]
    fn a_name_or_a_number_as_files_write_it() {
        for text in ["Los Angeles", "LOS ANGELES COUNTY", "los-angeles", "19"] {
            assert_eq!(County::from_name(text), Some(County::LosAngeles), "{text}");
        }
        assert_eq!(County::from_name("Atlantis"), None);
        assert_eq!(County::from_name("00"), None);
    }
}
