"""house_prices: a house sold in Ames, Iowa, 2006 to 2010, a row: 79 descriptions, Id and price.

SYNTHETIC. No row is a real house. Columns, spellings, where values are missing and the typical
shares follow the Kaggle competition's table (De Cock, 2011). As in its file, "None" in MasVnrType
is a value and not a gap.

Most columns are drawn as grades: a standard normal number, partly made of what the house is like
(its quality, age, size or condition), is cut into the column's categories at the points that give
their usual shares. What is not there has no description: without a garage, basement, fireplace or
pool its columns are missing.

What moves the price, so that trees find more than straight lines do, on the log scale too: good
neighbourhoods pay more for quality, good houses pay more for size, age counts only in the cheaper
neighbourhoods and neglect in old houses, and the best grades, a second garage place or a finished
basement that opens to the garden are steps, not slopes.
"""

from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

Columns = dict[str, Any]  # arrays, categoricals and series, by name

ROWS = 1_460
LAST_YEAR = 2010
BASE_LOG_PRICE = 11.91
NOISE = 0.07  # standard deviation of the log price that no column explains

# share of the rows, mean and spread of the year built, mean quality, median lot area, effect on the
# log price,
# share of attached houses (town houses), share in the zone RM (medium density)
NEIGHBORHOODS = {
    "Blmngtn": (0.012, 2005, 2, 7.2, 3200, 0.00, 0.95, 0.05),
    "Blueste": (0.002, 1980, 1, 6.0, 1700, -0.05, 1.00, 0.95),
    "BrDale": (0.011, 1971, 1, 5.7, 1700, -0.16, 1.00, 1.00),
    "BrkSide": (0.040, 1929, 12, 5.1, 6200, -0.03, 0.00, 0.50),
    "ClearCr": (0.019, 1967, 18, 5.9, 17500, 0.10, 0.00, 0.00),
    "CollgCr": (0.103, 2000, 9, 6.6, 9400, 0.02, 0.07, 0.07),
    "Crawfor": (0.035, 1940, 21, 6.3, 11500, 0.14, 0.06, 0.06),
    "Edwards": (0.068, 1955, 26, 5.1, 9100, -0.10, 0.07, 0.08),
    "Gilbert": (0.054, 1999, 8, 6.6, 10000, 0.00, 0.00, 0.00),
    "IDOTRR": (0.025, 1923, 13, 4.8, 7900, -0.20, 0.00, 0.75),
    "MeadowV": (0.012, 1972, 3, 4.5, 2000, -0.22, 1.00, 1.00),
    "Mitchel": (0.034, 1981, 13, 5.6, 10000, -0.02, 0.08, 0.10),
    "NAmes": (0.154, 1960, 8, 5.4, 9500, -0.03, 0.01, 0.00),
    "NPkVill": (0.006, 1976, 1, 6.0, 2300, -0.03, 1.00, 0.00),
    "NWAmes": (0.050, 1976, 6, 6.3, 11000, 0.00, 0.00, 0.00),
    "NoRidge": (0.028, 1995, 3, 7.9, 12100, 0.12, 0.00, 0.00),
    "NridgHt": (0.053, 2006, 2, 8.2, 11200, 0.15, 0.28, 0.01),
    "OldTown": (0.077, 1922, 21, 5.4, 7800, -0.13, 0.00, 0.84),
    "SWISU": (0.017, 1925, 9, 5.4, 7800, -0.07, 0.00, 0.00),
    "Sawyer": (0.051, 1965, 13, 5.0, 9700, -0.03, 0.00, 0.03),
    "SawyerW": (0.040, 1989, 12, 6.3, 9300, -0.01, 0.12, 0.00),
    "Somerst": (0.059, 2005, 3, 7.3, 8600, 0.06, 0.31, 0.00),
    "StoneBr": (0.017, 2000, 8, 8.1, 6800, 0.17, 0.48, 0.00),
    "Timber": (0.026, 1996, 14, 7.1, 12800, 0.06, 0.00, 0.00),
    "Veenker": (0.008, 1977, 8, 6.7, 11100, 0.10, 0.27, 0.00),
}

ZONES = ["C (all)", "FV", "RH", "RL", "RM"]
BUILDINGS = ["1Fam", "2fmCon", "Duplex", "Twnhs", "TwnhsE"]
STYLES = ["1Story", "2Story", "1.5Fin", "SLvl", "SFoyer", "1.5Unf", "2.5Unf", "2.5Fin"]
# share of each style: built until 1945, 1946 to 1960, 1961 to 1995, since 1996, attached houses
STYLE_SHARES = np.array(
    [
        [0.245, 0.260, 0.380, 0.000, 0.000, 0.040, 0.045, 0.030],
        [0.750, 0.040, 0.150, 0.050, 0.000, 0.010, 0.000, 0.000],
        [0.520, 0.300, 0.024, 0.093, 0.063, 0.000, 0.000, 0.000],
        [0.500, 0.465, 0.005, 0.018, 0.012, 0.000, 0.000, 0.000],
        [0.550, 0.400, 0.000, 0.015, 0.035, 0.000, 0.000, 0.000],
    ]
)
LOG_SIZE = np.array([-0.08, 0.15, 0.05, -0.02, -0.30, -0.35, 0.22, 0.50])  # by style
GROUND_FLOOR = np.array(
    [1.0, 0.53, 0.64, 1.0, 1.0, 1.0, 0.52, 0.52]
)  # its share of the living area, by style

# sales of houses that are not new
SALE_TYPES = {
    "WD": 0.949,
    "New": 0,
    "COD": 0.031,
    "ConLD": 0.006,
    "ConLI": 0.003,
    "ConLw": 0.003,
    "CWD": 0.003,
    "Oth": 0.003,
    "Con": 0.002,
}
SALE_CONDITIONS = {
    "Normal": 0.911,
    "Partial": 0,
    "Abnorml": 0.060,
    "Family": 0.016,
    "Alloca": 0.009,
    "AdjLand": 0.004,
}
YEAR_SHARES = {2006: 0.215, 2007: 0.225, 2008: 0.208, 2009: 0.232, 2010: 0.120}
MONTH_SHARES = [0.040, 0.036, 0.073, 0.097, 0.140, 0.173, 0.160, 0.084, 0.043, 0.060, 0.054, 0.040]

# column: (what it goes with, how closely, {category: share}) from the low end to the high end;
# None is missing
GRADES: dict[str, tuple[str, float, dict[Any, float]]] = {
    "Street": ("newness", 0.1, {"Grvl": 0.004, "Pave": 0.996}),
    "Alley": ("newness", -0.5, {None: 0.938, "Pave": 0.028, "Grvl": 0.034}),
    "LotShape": ("size", 0.3, {"Reg": 0.633, "IR1": 0.332, "IR2": 0.028, "IR3": 0.007}),
    "LandContour": ("size", 0.1, {"Low": 0.025, "Lvl": 0.898, "Bnk": 0.043, "HLS": 0.034}),
    "LotConfig": (
        "size",
        0.1,
        {"FR3": 0.003, "FR2": 0.032, "Inside": 0.721, "Corner": 0.180, "CulDSac": 0.064},
    ),
    "LandSlope": ("size", 0.1, {"Gtl": 0.946, "Mod": 0.045, "Sev": 0.009}),
    "Condition1": (
        "newness",
        0.2,
        {
            "Artery": 0.033,
            "RRNe": 0.001,
            "RRAe": 0.008,
            "Feedr": 0.055,
            "Norm": 0.863,
            "RRNn": 0.004,
            "RRAn": 0.018,
            "PosN": 0.013,
            "PosA": 0.005,
        },
    ),
    "Condition2": (
        "newness",
        0.1,
        {
            "Artery": 0.001,
            "RRNn": 0.001,
            "Feedr": 0.004,
            "Norm": 0.990,
            "RRAe": 0.001,
            "RRAn": 0.001,
            "PosN": 0.001,
            "PosA": 0.001,
        },
    ),
    "RoofStyle": (
        "quality",
        0.3,
        {
            "Shed": 0.001,
            "Gambrel": 0.008,
            "Flat": 0.009,
            "Gable": 0.781,
            "Hip": 0.196,
            "Mansard": 0.005,
        },
    ),
    "RoofMatl": (
        "quality",
        0.1,
        {
            "Roll": 0.001,
            "Tar&Grv": 0.008,
            "CompShg": 0.982,
            "Metal": 0.001,
            "Membran": 0.001,
            "ClyTile": 0.001,
            "WdShake": 0.003,
            "WdShngl": 0.003,
        },
    ),
    "Exterior1st": (
        "newness",
        0.75,
        {
            "AsbShng": 0.014,
            "Stucco": 0.017,
            "BrkComm": 0.001,
            "Wd Sdng": 0.141,
            "WdShing": 0.018,
            "CBlock": 0.001,
            "MetalSd": 0.151,
            "AsphShn": 0.001,
            "BrkFace": 0.034,
            "Plywood": 0.074,
            "Stone": 0.001,
            "HdBoard": 0.152,
            "CemntBd": 0.041,
            "ImStucc": 0.001,
            "VinylSd": 0.353,
        },
    ),
    "ExterQual": ("quality", 0.75, {"Fa": 0.010, "TA": 0.620, "Gd": 0.334, "Ex": 0.036}),
    "ExterCond": (
        "condition",
        0.4,
        {"Po": 0.001, "Fa": 0.019, "TA": 0.878, "Gd": 0.100, "Ex": 0.002},
    ),
    "MasVnrType": (
        "quality",
        0.45,
        {"None": 0.597, "BrkCmn": 0.010, "BrkFace": 0.305, "Stone": 0.088},
    ),
    "Foundation": (
        "newness",
        0.9,
        {"Stone": 0.004, "BrkTil": 0.105, "CBlock": 0.442, "Wood": 0.002, "PConc": 0.447},
    ),
    "BsmtQual": ("newness", 0.7, {"Fa": 0.025, "TA": 0.456, "Gd": 0.434, "Ex": 0.085}),
    "BsmtCond": ("condition", 0.3, {"Po": 0.001, "Fa": 0.032, "TA": 0.921, "Gd": 0.046}),
    "BsmtExposure": ("quality", 0.2, {"No": 0.671, "Mn": 0.080, "Av": 0.155, "Gd": 0.094}),
    "BsmtFinType1": (
        "newness",
        0.35,
        {"LwQ": 0.052, "Rec": 0.093, "BLQ": 0.104, "Unf": 0.302, "ALQ": 0.155, "GLQ": 0.294},
    ),
    "BsmtFinType2": (
        "newness",
        0.1,
        {"LwQ": 0.035, "Rec": 0.050, "Unf": 0.850, "BLQ": 0.030, "ALQ": 0.018, "GLQ": 0.017},
    ),
    "Heating": (
        "newness",
        0.5,
        {"Floor": 0.001, "Wall": 0.003, "Grav": 0.005, "OthW": 0.001, "GasW": 0.012, "GasA": 0.978},
    ),
    "HeatingQC": (
        "newness",
        0.6,
        {"Po": 0.001, "Fa": 0.034, "TA": 0.293, "Gd": 0.165, "Ex": 0.507},
    ),
    "CentralAir": ("newness", 0.6, {"N": 0.065, "Y": 0.935}),
    "Electrical": (
        "newness",
        0.7,
        {"Mix": 0.001, "FuseP": 0.002, "FuseF": 0.019, "FuseA": 0.064, "SBrkr": 0.914},
    ),
    "KitchenQual": ("quality", 0.7, {"Fa": 0.027, "TA": 0.503, "Gd": 0.401, "Ex": 0.069}),
    "Functional": (
        "condition",
        0.3,
        {
            "Sev": 0.001,
            "Maj2": 0.003,
            "Maj1": 0.010,
            "Mod": 0.010,
            "Min1": 0.021,
            "Min2": 0.023,
            "Typ": 0.932,
        },
    ),
    "FireplaceQu": (
        "quality",
        0.4,
        {"Po": 0.026, "Fa": 0.043, "TA": 0.406, "Gd": 0.494, "Ex": 0.031},
    ),
    "GarageType": (
        "newness",
        0.6,
        {
            "Detchd": 0.281,
            "CarPort": 0.007,
            "2Types": 0.004,
            "Basment": 0.014,
            "Attchd": 0.631,
            "BuiltIn": 0.063,
        },
    ),
    "GarageFinish": ("newness", 0.65, {"Unf": 0.439, "RFn": 0.306, "Fin": 0.255}),
    "GarageQual": (
        "newness",
        0.4,
        {"Po": 0.002, "Fa": 0.035, "TA": 0.951, "Gd": 0.010, "Ex": 0.002},
    ),
    "GarageCond": (
        "newness",
        0.4,
        {"Po": 0.005, "Fa": 0.025, "TA": 0.962, "Gd": 0.007, "Ex": 0.001},
    ),
    "PavedDrive": ("newness", 0.6, {"N": 0.062, "P": 0.020, "Y": 0.918}),
    "PoolQC": ("quality", 0.2, {"Fa": 0.300, "Gd": 0.400, "Ex": 0.300}),
    "Fence": (
        "newness",
        -0.2,
        {None: 0.807, "GdPrv": 0.041, "GdWo": 0.037, "MnWw": 0.007, "MnPrv": 0.108},
    ),
    "MiscFeature": (
        "size",
        0.1,
        {"TenC": 0.001, "Othr": 0.001, None: 0.963, "Gar2": 0.001, "Shed": 0.034},
    ),
}
# the same for counts; BsmtFullBath holds where a part of the basement is finished
COUNTS = {
    "FullBath": ("size", 0.7, {0: 0.006, 1: 0.445, 2: 0.526, 3: 0.023}),
    "HalfBath": ("floors", 0.55, {0: 0.625, 1: 0.367, 2: 0.008}),
    "BedroomAbvGr": (
        "size",
        0.55,
        {0: 0.004, 1: 0.034, 2: 0.245, 3: 0.551, 4: 0.146, 5: 0.014, 6: 0.005, 8: 0.001},
    ),
    "BsmtFullBath": ("newness", 0.2, {0: 0.300, 1: 0.682, 2: 0.016, 3: 0.002}),
    "BsmtHalfBath": ("newness", 0.0, {0: 0.944, 1: 0.055, 2: 0.001}),
    "Fireplaces": ("size", 0.5, {0: 0.473, 1: 0.445, 2: 0.079, 3: 0.003}),
    "GarageCars": ("quality", 0.7, {1: 0.268, 2: 0.597, 3: 0.131, 4: 0.004}),
}

COLUMNS = """
    Id MSSubClass MSZoning LotFrontage LotArea Street Alley LotShape LandContour Utilities LotConfig
    LandSlope Neighborhood Condition1 Condition2 BldgType HouseStyle OverallQual OverallCond
    YearBuilt YearRemodAdd RoofStyle RoofMatl Exterior1st Exterior2nd MasVnrType MasVnrArea
    ExterQual ExterCond Foundation BsmtQual BsmtCond BsmtExposure BsmtFinType1 BsmtFinSF1
    BsmtFinType2 BsmtFinSF2 BsmtUnfSF TotalBsmtSF Heating HeatingQC CentralAir Electrical 1stFlrSF
    2ndFlrSF LowQualFinSF GrLivArea BsmtFullBath BsmtHalfBath FullBath HalfBath BedroomAbvGr
    KitchenAbvGr KitchenQual TotRmsAbvGrd Functional Fireplaces FireplaceQu GarageType GarageYrBlt
    GarageFinish GarageCars GarageArea GarageQual GarageCond PavedDrive WoodDeckSF OpenPorchSF
    EnclosedPorch 3SsnPorch ScreenPorch PoolArea PoolQC Fence MiscFeature MiscVal MoSold YrSold
    SaleType SaleCondition SalePrice
""".split()


def generate(n_rows: int, seed: int) -> pd.DataFrame:
    """Return `n_rows` synthetic houses."""
    rng = np.random.default_rng(seed)
    columns = {"Id": np.arange(1, n_rows + 1, dtype=np.int32)}
    columns |= setting(rng, n_rows)
    columns |= sale(rng, columns)
    columns |= living_area(rng, columns)
    traits = describe(columns)
    for name, (trait, weight, categories) in GRADES.items():
        columns[name] = graded(rng, traits[trait], weight, categories)
    for name, (trait, weight, counts) in COUNTS.items():
        columns[name] = np.array(list(counts), dtype=np.int8)[
            grades(rng, traits[trait], weight, counts)
        ]
    del traits
    columns |= lot(rng, columns)
    columns |= outside(rng, columns)
    columns |= rooms(rng, columns)
    columns |= basement(rng, columns)
    columns |= garage(rng, columns)
    columns["SalePrice"] = sale_price(rng, columns)
    leave_gaps(rng, columns)
    return pd.DataFrame({name: columns.pop(name) for name in COLUMNS}, copy=False)


def grades(
    rng: np.random.Generator, trait: np.ndarray, weight: float, table: dict[Any, float]
) -> np.ndarray:
    """Cut a normal number that goes with the trait into codes that have the shares of the table."""
    value = weight * trait + np.float32((1 - weight**2) ** 0.5) * rng.standard_normal(
        trait.size, dtype=np.float32
    )
    cuts = [NormalDist().inv_cdf(limit) for limit in np.cumsum(shares(table))[:-1]]
    return np.searchsorted(np.array(cuts, dtype=np.float32), value).astype(np.int8)


def graded(
    rng: np.random.Generator, trait: np.ndarray, weight: float, table: dict[Any, float]
) -> pd.Categorical:
    names = [name for name in table if name is not None]
    codes = np.array([-1 if name is None else names.index(name) for name in table], dtype=np.int8)
    return categorical(codes[grades(rng, trait, weight, table)], names)


def categorical(codes: np.ndarray, names: list[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=names)


def has(columns: Columns, name: str, *values: str) -> np.ndarray:
    """The rows whose category is one of the values."""
    column = columns[name]
    return np.isin(column.codes, [column.categories.get_loc(value) for value in values])


def without(column: pd.Categorical, absent: np.ndarray) -> pd.Categorical:
    """The column with its value missing in the rows that have nothing to describe."""
    return categorical(np.where(absent, np.int8(-1), column.codes), column.categories)


def exactly(rng: np.random.Generator, n_rows: int, share: float) -> np.ndarray:
    """Rows of a rare kind: as many as the share says, and at least one."""
    chosen = np.zeros(n_rows, dtype=bool)
    chosen[rng.choice(n_rows, size=max(1, round(share * n_rows)), replace=False)] = True
    return chosen


def chance(rng: np.random.Generator, n_rows: int, probability: float | np.ndarray) -> np.ndarray:
    return rng.random(n_rows, dtype=np.float32) < probability


def sometimes(
    rng: np.random.Generator,
    n_rows: int,
    probability: float | np.ndarray,
    typical: float | np.ndarray,
    spread: float = 0.5,
) -> np.ndarray:
    """An area in square feet where there is one, else 0."""
    area = typical * np.exp(np.float32(spread) * rng.standard_normal(n_rows, dtype=np.float32))
    return (area * chance(rng, n_rows, probability)).astype(np.int16)


def setting(rng: np.random.Generator, n_rows: int) -> Columns:
    """Where the house stands, when and how well it was built, and of which kind it is."""
    table = np.array(list(NEIGHBORHOODS.values()))
    share, year, year_spread, quality, _, _, attached, medium_density = table.T
    place = rng.choice(len(table), size=n_rows, p=share / share.sum()).astype(np.int8)
    built = (
        (year[place] + year_spread[place] * rng.standard_normal(n_rows))
        .clip(1872, LAST_YEAR)
        .astype(np.int16)
    )
    quality = quality[place] + 0.008 * (built - year[place]) + 0.85 * rng.standard_normal(n_rows)
    # the new houses and some of the old are in the condition that the assessors call average
    assessed = 5.8 + 1.15 * rng.standard_normal(n_rows)
    condition = np.where(chance(rng, n_rows, np.where(built < 1996, 0.70, 0.08)), assessed, 5)
    building = kind_of_building(rng, built, attached[place])
    style = style_of_house(rng, built, building)
    return {
        "Neighborhood": categorical(place, list(NEIGHBORHOODS)),
        "MSZoning": categorical(zone(rng, place, medium_density[place]), ZONES),
        "BldgType": categorical(building, BUILDINGS),
        "HouseStyle": categorical(style, STYLES),
        "MSSubClass": dwelling_class(building, style, built),
        "YearBuilt": built,
        "OverallQual": quality.round().clip(1, 10).astype(np.int8),
        "OverallCond": condition.round().clip(1, 9).astype(np.int8),
    }


def zone(rng: np.random.Generator, place: np.ndarray, medium_density: np.ndarray) -> np.ndarray:
    """Residential, of low density unless the neighbourhood is of another kind."""
    names = list(NEIGHBORHOODS)
    high_density = np.isin(place, [names.index("SWISU"), names.index("SawyerW")]) & chance(
        rng, place.size, 0.12
    )
    village = (place == names.index("Somerst")) & chance(rng, place.size, 0.76)
    medium = chance(rng, place.size, medium_density)
    commercial = (place == names.index("IDOTRR")) & ~medium
    codes = [ZONES.index(name) for name in ("RH", "FV", "RM", "C (all)")]
    return np.select([high_density, village, medium, commercial], codes, ZONES.index("RL")).astype(
        np.int8
    )


def kind_of_building(
    rng: np.random.Generator, built: np.ndarray, attached: np.ndarray
) -> np.ndarray:
    """Codes of BUILDINGS.

    Town houses where the neighbourhood has them, old conversions, post-war duplexes.
    """
    attached, end_unit = chance(rng, built.size, attached), chance(rng, built.size, 0.73)
    converted = (built < 1945) & chance(rng, built.size, 0.08)
    duplex = (built > 1945) & (built < 1995) & chance(rng, built.size, 0.065)
    return np.select([attached & end_unit, attached, converted, duplex], [4, 3, 1, 2], 0).astype(
        np.int8
    )


def style_of_house(rng: np.random.Generator, built: np.ndarray, building: np.ndarray) -> np.ndarray:
    group = np.where(building >= 3, 4, np.digitize(built, [1946, 1961, 1996]))
    draw = rng.random(built.size, dtype=np.float32)
    codes = np.zeros(built.size, dtype=np.int8)
    for limit in np.cumsum(STYLE_SHARES, axis=1, dtype=np.float32).T[:-1]:
        codes += draw > limit[group]
    return codes


def dwelling_class(building: np.ndarray, style: np.ndarray, built: np.ndarray) -> np.ndarray:
    """The assessor's code, which follows from the kind of building, its style and its age."""
    attached, post_war = building >= 3, built >= 1946
    one_storey, two_storeys = style == 0, style == 1
    cases = {
        190: building == 1,
        90: building == 2,
        120: attached & one_storey,
        160: attached & two_storeys,
        180: attached,
        20: one_storey & post_war,
        30: one_storey,
        60: two_storeys & post_war,
        70: two_storeys,
        50: style == 2,
        80: style == 3,
        85: style == 4,
        45: style == 5,
    }
    return np.select(
        list(cases.values()), np.array(list(cases), dtype=np.int16), default=np.int16(75)
    )


def sale(rng: np.random.Generator, columns: Columns) -> Columns:
    """When the house was renewed and sold, and how.

    Most of the new ones are sold before they are finished.
    """
    n = columns["Id"].size
    built = columns["YearBuilt"]
    year = np.maximum(
        rng.choice(np.array(list(YEAR_SHARES), dtype=np.int16), size=n, p=shares(YEAR_SHARES)),
        built,
    )
    renovated = chance(rng, n, np.where(built > 2000, 0.25, 0.62))
    renewal = np.where(
        renovated, built + (year - built) * rng.random(n, dtype=np.float32) ** 0.6, built
    )
    new = (year - built <= 1) & chance(rng, n, 0.75)
    kind = rng.choice(len(SALE_TYPES), size=n, p=shares(SALE_TYPES)).astype(np.int8)
    condition = rng.choice(len(SALE_CONDITIONS), size=n, p=shares(SALE_CONDITIONS)).astype(np.int8)
    kind[new] = list(SALE_TYPES).index("New")
    condition[(kind == list(SALE_TYPES).index("COD")) & chance(rng, n, 0.5)] = list(
        SALE_CONDITIONS
    ).index("Abnorml")
    condition[new] = list(SALE_CONDITIONS).index("Partial")
    return {
        "YrSold": year,
        "MoSold": rng.choice(np.arange(1, 13, dtype=np.int8), size=n, p=MONTH_SHARES),
        "YearRemodAdd": renewal.clip(1950, None).astype(np.int16),
        "SaleType": categorical(kind, list(SALE_TYPES)),
        "SaleCondition": categorical(condition, list(SALE_CONDITIONS)),
    }


def shares(table: dict[Any, float]) -> np.ndarray:
    return np.array(list(table.values()))


def living_area(rng: np.random.Generator, columns: Columns) -> Columns:
    """Square feet of each floor, which add up."""
    n = columns["Id"].size
    style = columns["HouseStyle"].codes
    size = (
        7.28
        + 0.13 * (columns["OverallQual"] - 6.1)
        + LOG_SIZE[style]
        + 0.21 * rng.standard_normal(n)
    )
    size -= 0.12 * (columns["BldgType"].codes >= 3)
    total, share = np.exp(size), GROUND_FLOOR[style]
    split = share < 1
    ground = (total * share * np.where(split, np.exp(0.05 * rng.standard_normal(n)), 1)).clip(
        334, 4_700
    )
    upper = ((total - ground) * split).clip(0, 2_100)
    poor = sometimes(rng, n, 0.05 * (columns["YearBuilt"] < 1950), 300)
    ground, upper = ground.astype(np.int16), upper.astype(np.int16)
    return {
        "1stFlrSF": ground,
        "2ndFlrSF": upper,
        "LowQualFinSF": poor,
        "GrLivArea": ground + upper + poor,
    }


def describe(columns: Columns) -> Columns:
    """What the grades go with, each about standard normal."""
    traits = {
        "quality": (columns["OverallQual"] - 6.1) / 1.38,
        "condition": (columns["OverallCond"] - 5.6) / 1.1,
        "newness": (columns["YearBuilt"] - 1971.5) / 30,
        "size": (np.log(columns["GrLivArea"]) - 7.27) / 0.33,
        "floors": ((columns["2ndFlrSF"] > 0) - 0.43) / 0.5,
    }
    return {name: trait.astype(np.float32) for name, trait in traits.items()}


def lot(rng: np.random.Generator, columns: Columns) -> Columns:
    """The lot and its length along the street.

    The length is unknown more often where lots are not rectangles.
    """
    n = columns["Id"].size
    typical = np.array([line[4] for line in NEIGHBORHOODS.values()])[columns["Neighborhood"].codes]
    typical = np.where(columns["BldgType"].codes >= 3, np.minimum(typical, 4_000), typical)
    area = typical * (columns["GrLivArea"] / 1_450) ** 0.25 * np.exp(0.27 * rng.standard_normal(n))
    area *= np.select(
        [chance(rng, n, 0.006), has(columns, "LotShape", "IR2", "IR3")], [5.0, 1.25], default=1.0
    )
    frontage = 0.72 * np.sqrt(area.clip(None, 40_000)) * np.exp(0.18 * rng.standard_normal(n))
    irregular = [has(columns, "LotConfig", "CulDSac"), ~has(columns, "LotShape", "Reg")]
    unknown = chance(rng, n, np.select(irregular, [0.50, 0.30], default=0.08))
    return {
        "LotArea": area.clip(1_300, 215_000).astype(np.int32),
        "LotFrontage": np.where(unknown, np.nan, frontage.clip(21, 313).round()),
    }


def outside(rng: np.random.Generator, columns: Columns) -> Columns:
    """Cladding, porches, pool, and what else stands on the lot."""
    n = columns["Id"].size
    built = columns["YearBuilt"]
    pool = exactly(rng, n, 0.005)
    veneer = sometimes(
        rng, n, ~has(columns, "MasVnrType", "None"), 0.12 * columns["GrLivArea"], 0.6
    )
    worth = {"Gar2": 9_000, "TenC": 1_800, "Othr": 1_800, "Shed": 550}
    value = np.select(
        [has(columns, "MiscFeature", name) for name in worth], list(worth.values()), default=0
    )
    return {
        "Exterior2nd": second_cladding(rng, columns["Exterior1st"]),
        "MasVnrArea": veneer.clip(0, 1_600).astype(np.float64),
        "WoodDeckSF": sometimes(
            rng, n, np.where(built > 1960, 0.58, 0.25), 0.12 * columns["GrLivArea"]
        ),
        "OpenPorchSF": sometimes(
            rng, n, np.where(built > 1990, 0.80, 0.38), 0.042 * columns["GrLivArea"], 0.6
        ),
        "EnclosedPorch": sometimes(rng, n, np.where(built < 1950, 0.38, 0.05), 145),
        "3SsnPorch": sometimes(rng, n, 0.016, 180, 0.4),
        "ScreenPorch": sometimes(rng, n, 0.08, 180, 0.4),
        "PoolArea": (pool * rng.integers(480, 740, size=n)).astype(np.int16),
        "PoolQC": without(columns["PoolQC"], ~pool),
        "MiscVal": (value * np.exp(0.5 * rng.standard_normal(n))).clip(0, 15_500).astype(np.int16)
        // 50
        * 50,
        "Utilities": categorical(exactly(rng, n, 0.0007).astype(np.int8), ["AllPub", "NoSeWa"]),
    }


def second_cladding(rng: np.random.Generator, first: pd.Categorical) -> pd.Categorical:
    """Mostly the first one again, under the spellings that this column has for some."""
    respelled = {"WdShing": "Wd Shng", "CemntBd": "CmentBd", "BrkComm": "Brk Cmn"}
    names = [respelled.get(name, name) for name in first.categories] + ["Other"]
    codes = np.where(
        chance(rng, len(first), 0.87), first.codes, first.codes[rng.permutation(len(first))]
    )
    codes[chance(rng, len(first), 0.001)] = len(names) - 1
    return categorical(codes, names)


def rooms(rng: np.random.Generator, columns: Columns) -> Columns:
    n = columns["Id"].size
    shared = has(columns, "BldgType", "Duplex", "2fmCon")
    kitchens = 1 + (shared & chance(rng, n, 0.75))
    extra = 1.2 + columns["GrLivArea"] / 620 + 0.7 * rng.standard_normal(n)
    count = (0.6 * columns["BedroomAbvGr"] + kitchens - 0.1 + extra).round().clip(2, 14)
    return {
        "KitchenAbvGr": kitchens.astype(np.int8),
        "TotRmsAbvGrd": np.maximum(count, columns["BedroomAbvGr"] + 2).clip(2, 14).astype(np.int8),
        "FireplaceQu": without(columns["FireplaceQu"], columns["Fireplaces"] == 0),
    }


def basement(rng: np.random.Generator, columns: Columns) -> Columns:
    """Areas that add up; a house on a slab has none."""
    n = columns["Id"].size
    none = chance(rng, n, np.where(has(columns, "BldgType", "Duplex"), 0.12, 0.022))
    share = np.minimum(1.0, 1.03 - 0.12 * np.abs(rng.standard_normal(n)))
    total = np.where(none, 0, columns["1stFlrSF"] * share).astype(np.int16)
    unfinished = has(columns, "BsmtFinType1", "Unf")
    first = np.where(unfinished, 0, total * rng.beta(2.2, 1.5, size=n)).astype(np.int16)
    types = columns["BsmtFinType2"].categories
    second_type = np.where(unfinished, np.int8(types.get_loc("Unf")), columns["BsmtFinType2"].codes)
    second = (total - first) * rng.beta(2.0, 1.5, size=n) * (second_type != types.get_loc("Unf"))
    second = second.astype(np.int16)
    foundations = [*columns["Foundation"].categories, "Slab"]
    foundation = np.where(
        none & chance(rng, n, 0.65), np.int8(len(foundations) - 1), columns["Foundation"].codes
    )
    return {
        "TotalBsmtSF": total,
        "BsmtFinSF1": first,
        "BsmtFinSF2": second,
        "BsmtUnfSF": total - first - second,
        "BsmtFinType2": without(categorical(second_type, types), none),
        "Foundation": categorical(foundation, foundations),
        "BsmtFullBath": np.where(first > 200, columns["BsmtFullBath"], 0).astype(np.int8),
        "BsmtHalfBath": np.where(none, 0, columns["BsmtHalfBath"]).astype(np.int8),
    } | {
        name: without(columns[name], none)
        for name in ["BsmtQual", "BsmtCond", "BsmtExposure", "BsmtFinType1"]
    }


def garage(rng: np.random.Generator, columns: Columns) -> Columns:
    n = columns["Id"].size
    built = columns["YearBuilt"]
    none = chance(
        rng,
        n,
        np.where(built < 1946, 0.13, 0.025) + 0.15 * has(columns, "BldgType", "Duplex", "2fmCon"),
    )
    added = chance(rng, n, np.where(built < 1980, 0.40, 0.04))
    year = np.where(
        added, built + (columns["YrSold"] - built) * rng.random(n, dtype=np.float32), built
    ).round()
    cars = np.where(none, 0, columns["GarageCars"]).astype(np.int8)
    area = cars * (225 + 35 * rng.standard_normal(n)) + 55 * (cars > 0)
    return {
        "GarageCars": cars,
        "GarageArea": area.clip(0, 1_420).astype(np.int16),
        "GarageYrBlt": np.where(none, np.nan, year.clip(1900, None).astype(np.float64)),
    } | {
        name: without(columns[name], none)
        for name in ["GarageType", "GarageFinish", "GarageQual", "GarageCond"]
    }


def sale_price(rng: np.random.Generator, columns: Columns) -> np.ndarray:
    """Dollars, in hundreds: what the house, its place and the sale are worth, multiplied."""
    n = columns["Id"].size
    price = BASE_LOG_PRICE + worth_of_house(columns) + worth_of_parts(columns)
    price += 0.06 * has(columns, "SaleCondition", "Partial") - 0.10 * has(
        columns, "SaleCondition", "Abnorml"
    )
    unusual = ~has(columns, "SaleCondition", "Normal", "Partial")
    price += NOISE * (1 + unusual) * rng.standard_normal(n)
    return (np.exp(price) / 100).round().clip(349, 7_550).astype(np.int32) * 100


def worth_of_house(columns: Columns) -> np.ndarray:
    """Place, quality, size and age, on the scale of the log price.

    Each counts for more or less by the others.
    """
    quality = columns["OverallQual"] - 6.0
    place = np.array([line[5] for line in NEIGHBORHOODS.values()])[columns["Neighborhood"].codes]
    worth = 0.75 * place + 0.4 * place * quality.clip(-2, 2)
    worth += 0.03 * quality + 0.09 * (quality > 0) + 0.09 * (quality > 1)
    size = np.log(columns["GrLivArea"] / 1_500).clip(-0.45, 0.45)
    worth += np.where(quality > 0, 0.55, 0.15) * size
    renewed = np.maximum(columns["YearBuilt"], columns["YearRemodAdd"] - 15)
    age = (columns["YrSold"] - renewed).clip(0)
    worth -= np.where(place > 0, 0.0, 0.0035) * age.clip(0, 50)
    poor = columns["OverallCond"] < 5
    return worth - np.where(age > 25, 0.16, 0.04) * poor + 0.04 * (columns["OverallCond"] > 6)


def worth_of_parts(columns: Columns) -> np.ndarray:
    """Basement, garage, lot and the rest, on the same scale."""
    finished = columns["BsmtFinSF1"] > 500
    worth = 0.10 * (columns["TotalBsmtSF"] / 1_000 - 1).clip(-1, 0.5) + 0.05 * finished
    worth += 0.07 * (finished & has(columns, "BsmtExposure", "Gd", "Av"))
    worth += 0.10 * (columns["GarageCars"] >= 2) + 0.08 * (
        (columns["GarageCars"] >= 3) & (columns["OverallQual"] >= 7)
    )
    worth += 0.05 * (columns["Fireplaces"] > 0) + 0.06 * has(columns, "KitchenQual", "Ex")
    worth += 0.07 * np.log(columns["LotArea"] / 9_500).clip(-1, 1)
    worth -= 0.12 * has(columns, "CentralAir", "N") + 0.20 * has(columns, "MSZoning", "C (all)")
    return (
        worth
        - 0.08 * has(columns, "Condition1", "Artery", "Feedr")
        - 0.07 * ~has(columns, "Functional", "Typ")
    )


def leave_gaps(rng: np.random.Generator, columns: Columns) -> None:
    """The few values that nobody wrote down."""
    n = columns["Id"].size
    unknown = exactly(rng, n, 0.0055)
    columns["MasVnrType"] = without(columns["MasVnrType"], unknown)
    columns["MasVnrArea"][unknown] = np.nan
    columns["Electrical"] = without(columns["Electrical"], exactly(rng, n, 0.0007))
