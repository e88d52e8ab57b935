"""The measures of ID photos, each with who published them."""

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

INCH = 25.4  # mm

WHITE, LIGHT_GREY = "#ffffff", "#d9d9d9"

IdPreset = Literal[
    "icao_35x45", "schengen_35x45", "germany_35x45", "uk_35x45", "us_2x2in", "india_35x45", "india_2x2in",
    "china_33x48", "china_1in", "china_2in", "school_card",
]  # fmt: skip


@dataclass(frozen=True)
class IdMeasures:
    """An ID photo in mm: its sides, the head from chin to crown, and the pupils above the lower edge.

    `head` and `eyes` are the least, the one aimed at, and the most. `hair` says that hair counts to the head's height.
    """

    title: str
    width: float
    height: float
    head: tuple[float, float, float]
    eyes: tuple[float, float, float]
    background: str
    source: str
    hair: bool = False
    dpi: float = 300

    def told(self) -> dict[str, JsonValue]:
        """As the catalogue of operations tells them; `head` and eyes are the least, what is aimed at, and the most."""
        return {
            "unit": "mm",
            "width": round(self.width, 1),
            "height": round(self.height, 1),
            "head": [round(mm, 1) for mm in self.head],
            "head_with_hair": self.hair,
            "eyes_above_lower_edge": [round(mm, 1) for mm in self.eyes],
            "background": self.background,
            "dpi": self.dpi,
            "source": self.source,
        }

    def size(self, dpi: float | None) -> tuple[int, int]:
        """Width and height in px."""
        per_mm = (dpi or self.dpi) / INCH
        return max(1, round(self.width * per_mm)), max(1, round(self.height * per_mm))


# ISO/IEC 19794-5 wants the eyes at 50 to 70 % of the height; where nobody says more, that holds.
_ICAO_HEAD = (31.5, 34.0, 36.0)
_ICAO_EYES = (22.5, 25.0, 31.5)
_US_HEAD = (INCH, 1.2 * INCH, 1.375 * INCH)
_US_EYES = (1.125 * INCH, 1.2 * INCH, 1.375 * INCH)
_CARD = (
    "no range is published for photos of this size; these are the shares of the identity card (GA 461): the head about "
    "two thirds, the eyes at 47 % or more, little room above the hair"
)

ID_PRESETS: dict[IdPreset, IdMeasures] = {
    "icao_35x45": IdMeasures(
        "ICAO, 35 x 45 mm", 35, 45, _ICAO_HEAD, _ICAO_EYES, WHITE,
        "ICAO Doc 9303 part 3: the head takes 70 to 80 % of the height; ISO/IEC 19794-5: the eyes lie at 50 to 70 %",
    ),
    "schengen_35x45": IdMeasures(
        "Schengen visa, 35 x 45 mm", 35, 45, (32, 34, 36), _ICAO_EYES, WHITE,
        "Consulates under the Visa Code, Regulation (EC) 810/2009, by ICAO Doc 9303: the face takes 70 to 80 %, 32 to "
        "36 mm; no eye line is published, ISO/IEC 19794-5 has it",
    ),
    "germany_35x45": IdMeasures(
        "Germany, 35 x 45 mm", 35, 45, (32, 34, 36), (22, 25, 32), LIGHT_GREY,
        "Fotomustertafel and Passbild-Schablone of the Federal Ministry of the Interior and Bundesdruckerei: 32 to 36 "
        "mm from chin to crown without the hair, refused under 27 and over 40; eyes at 22 to 32 mm; best neutral grey",
    ),
    "uk_35x45": IdMeasures(
        "United Kingdom, 35 x 45 mm", 35, 45, (29, 32, 34), _ICAO_EYES, LIGHT_GREY,
        "HM Passport Office, photo guidance: 29 to 34 mm from crown to chin, plain cream or light grey behind; no eye "
        "line is published, ISO/IEC 19794-5 has it",
    ),
    "us_2x2in": IdMeasures(
        "United States, 2 x 2 in", 2 * INCH, 2 * INCH, _US_HEAD, _US_EYES, WHITE,
        "US Department of State, photo requirements: 1 to 1 3/8 in from chin to the top of the head with its hair, the "
        "eyes 1 1/8 to 1 3/8 in above the lower edge, white or off-white",
        hair=True,
    ),
    "india_35x45": IdMeasures(
        "India, 35 x 45 mm", 35, 45, (36, 36.5, 38.2), (22.5, 23, 31.5), WHITE,
        "Indian missions, passport photos since September 2025: 630 x 810 px, the face takes 80 to 85 %, white; no eye "
        "line is published, ISO/IEC 19794-5 has it",
        dpi=457.2,
    ),
    "india_2x2in": IdMeasures(
        "India, visa and OCI, 2 x 2 in", 2 * INCH, 2 * INCH, _US_HEAD, _US_EYES, WHITE,
        "Indian visa and OCI services: 1 to 1 3/8 in from chin to the top of the hair, eyes 1 1/8 to 1 3/8 in above "
        "the lower edge; white or off-white for a visa, for OCI a plain light colour",
        hair=True,
    ),
    "china_33x48": IdMeasures(
        "China, passport and visa, 33 x 48 mm", 33, 48, (28, 31, 33), (24.5, 27.5, 31.5), WHITE,
        "Consular service of the Ministry of Foreign Affairs: head 28 to 33 mm high and 15 to 22 wide, 3 to 5 mm of "
        "room above, at least 7 below; the eye line follows from these",
    ),
    "china_1in": IdMeasures(
        "China, one inch, 25 x 35 mm", 25, 35, (22, 23.5, 25), (16.4, 20.5, 22.5), WHITE,
        "The size of the one inch photo, 295 x 413 px; " + _CARD,
    ),
    "china_2in": IdMeasures(
        "China, two inches, 35 x 49 mm", 35, 49, (30, 33, 35), (23, 29, 31.5), WHITE,
        "The size of the two inch photo, 413 x 579 px; " + _CARD,
    ),
    "school_card": IdMeasures(
        "School or staff card, 30 x 40 mm", 30, 40, (20, 22, 26), (20, 22, 26), WHITE,
        "No standard, no published range: a head with shoulders, with room for a card's frame",
    ),
}  # fmt: skip

SHADES = {"white": WHITE, "grey": LIGHT_GREY, "gray": LIGHT_GREY, "blue": "#438edb", "red": "#e3211c"}
