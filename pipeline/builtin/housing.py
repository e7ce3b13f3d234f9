"""california_housing: a census block group of California, 1990, a row, and its median house value.

SYNTHETIC. No row is a real block group. The columns, ranges and typical sizes follow the well-known
table made from the 1990 census (Pace and Barry, 1997), with three more that a census could hold:
Households, OwnerShare (the share of homes that their owners live in) and OceanProximity. The coast
and the places are real geography, coarsely drawn.

What moves the value, so that trees find more than straight lines do: the distance to the coast
decays fast and counts more where incomes are high, good and bad neighbourhoods alternate along the
map, the effect of age has the opposite sign around the bay, crowding and ownership act through
thresholds, and values are capped at 5.00001.
"""

from typing import Any

import numpy as np
import pandas as pd

Columns = dict[str, Any]  # arrays, categoricals and series, by name

ROWS = 20_640

# latitude, longitude, spread of each in degrees, share of the rows, log price level, log income
# level, mean house age
PLACES = np.array(
    [
        (34.03, -118.22, 0.14, 0.18, 0.26, 0.05, -0.08, 35),  # Los Angeles
        (33.78, -117.90, 0.11, 0.12, 0.10, 0.05, 0.16, 24),  # Orange County
        (34.00, -117.25, 0.18, 0.26, 0.08, -0.15, -0.06, 20),  # Inland Empire
        (32.85, -117.08, 0.16, 0.11, 0.09, 0.00, 0.00, 24),  # San Diego
        (37.66, -122.43, 0.12, 0.06, 0.07, 0.35, 0.12, 40),  # San Francisco and the peninsula
        (37.80, -122.15, 0.13, 0.12, 0.08, 0.18, 0.10, 33),  # East Bay
        (37.33, -121.95, 0.10, 0.13, 0.07, 0.25, 0.26, 25),  # San Jose
        (38.58, -121.40, 0.16, 0.18, 0.06, -0.15, -0.06, 23),  # Sacramento
        (36.75, -119.80, 0.55, 0.45, 0.09, -0.30, -0.24, 25),  # San Joaquin Valley
        (35.37, -119.00, 0.16, 0.20, 0.02, -0.30, -0.14, 22),  # Bakersfield
        (35.30, -120.50, 0.60, 0.35, 0.04, 0.05, -0.04, 23),  # Central Coast
        (39.60, -121.80, 0.80, 0.80, 0.04, -0.25, -0.32, 22),  # the rural north
    ]
)

# the coast line, from south to north
COAST_LATITUDE = [
    32.5,
    33.0,
    33.6,
    33.75,
    34.0,
    34.1,
    34.45,
    35.2,
    36.0,
    36.6,
    37.0,
    37.5,
    38.0,
    38.5,
    39.3,
    40.4,
    42.0,
]
COAST_LONGITUDE = [
    -117.12,
    -117.28,
    -117.90,
    -118.30,
    -118.50,
    -119.10,
    -120.45,
    -120.80,
    -121.45,
    -121.90,
    -122.15,
    -122.50,
    -122.95,
    -123.25,
    -123.80,
    -124.35,
    -124.20,
]
KM_PER_DEGREE = 75  # of longitude, at right angles to a coast that runs to the north-west
BAY_CENTRE = (37.75, -122.25)

PROXIMITY = ["<1H OCEAN", "INLAND", "NEAR BAY", "NEAR OCEAN"]
CAP = 5.00001
NOISE = 0.20  # standard deviation of the log value that no column explains


def generate(n_rows: int, seed: int) -> pd.DataFrame:
    """Return `n_rows` synthetic block groups."""
    rng = np.random.default_rng(seed)
    place = rng.choice(len(PLACES), size=n_rows, p=PLACES[:, 4] / PLACES[:, 4].sum()).astype(
        np.int8
    )
    columns = locations(rng, place)
    coast_km = distance_to_coast(columns["Latitude"], columns["Longitude"])
    columns["OceanProximity"] = ocean_proximity(columns["Latitude"], columns["Longitude"], coast_km)
    columns |= households(rng, place, neighbourhood(columns["Latitude"], columns["Longitude"]))
    columns["MedHouseVal"] = house_value(rng, place, coast_km, columns)
    order = [
        "MedInc",
        "HouseAge",
        "AveRooms",
        "AveBedrms",
        "Population",
        "AveOccup",
        "Latitude",
        "Longitude",
        "Households",
        "OwnerShare",
        "OceanProximity",
        "MedHouseVal",
    ]
    return pd.DataFrame({name: columns.pop(name) for name in order}, copy=False)


def locations(rng: np.random.Generator, place: np.ndarray) -> Columns:
    """Scatter the rows around their places; what falls into the ocean is mirrored back on land."""
    latitude = PLACES[place, 0] + PLACES[place, 2] * rng.standard_normal(place.size)
    latitude = latitude.clip(32.54, 41.95)
    longitude = PLACES[place, 1] + PLACES[place, 3] * rng.standard_normal(place.size)
    coast = np.interp(latitude, COAST_LATITUDE, COAST_LONGITUDE)
    longitude = (coast + np.abs(longitude - coast)).clip(-124.35, -114.31)
    return {"Latitude": latitude.round(2), "Longitude": longitude.round(2)}


def distance_to_coast(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    return KM_PER_DEGREE * np.abs(longitude - np.interp(latitude, COAST_LATITUDE, COAST_LONGITUDE))


def ocean_proximity(
    latitude: np.ndarray, longitude: np.ndarray, coast_km: np.ndarray
) -> pd.Categorical:
    near_bay = np.hypot(latitude - BAY_CENTRE[0], 0.8 * (longitude - BAY_CENTRE[1])) < 0.24
    codes = np.select([near_bay, coast_km < 9, coast_km < 60], [2, 3, 0], default=1).astype(np.int8)
    return pd.Categorical.from_codes(codes, categories=PROXIMITY)


def neighbourhood(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """A fixed landscape of better and worse areas, some 30 km across, with variance about one."""
    waves = np.sin(9 * latitude + 5 * longitude) + np.sin(5 * latitude - 11 * longitude)
    return waves + 0.3 * np.sin(23 * latitude + 5) * np.sin(19 * longitude)


def households(rng: np.random.Generator, place: np.ndarray, area: np.ndarray) -> Columns:
    """What the census asks: income, age and size of the homes, and who lives in them."""
    n = place.size
    log_income = 1.26 + PLACES[place, 6] + 0.10 * area + 0.38 * rng.standard_normal(n)
    age = PLACES[place, 7] + 10.5 * rng.standard_normal(n)
    rooms = np.exp(1.62 + 0.22 * (log_income - 1.26) + 0.16 * rng.standard_normal(n))
    bedrooms = np.exp(0.05 + 0.07 * rng.standard_normal(n))
    population = np.exp(7.05 + 0.65 * rng.standard_normal(n)).clip(3, 35_682).round()
    occupancy = np.exp(1.04 - 0.05 * (log_income - 1.26) + 0.22 * rng.standard_normal(n)).clip(
        1.0, 12.0
    )
    count = (population / occupancy).round().clip(1)
    owners = 1 / (
        1
        + np.exp(
            -(0.6 + 1.1 * (log_income - 1.26) - 0.8 * (rooms < 4.2) + 0.7 * rng.standard_normal(n))
        )
    )
    return {
        "MedInc": np.exp(log_income).clip(0.4999, 15.0001).round(4),
        "HouseAge": age.clip(1, 52).round().astype(np.int8),
        "AveRooms": rooms.clip(1.0, 40.0).round(4),
        "AveBedrms": bedrooms.clip(0.5, 8.0).round(4),
        "Population": population.astype(np.int32),
        "AveOccup": (population / count).round(4),
        "Households": count.astype(np.int32),
        "OwnerShare": owners.round(3),
    }


def house_value(
    rng: np.random.Generator, place: np.ndarray, coast_km: np.ndarray, columns: Columns
) -> np.ndarray:
    """The median value in $100,000, to three decimals, capped as in the census."""
    income = np.log(columns["MedInc"]) - 1.26
    area = neighbourhood(columns["Latitude"], columns["Longitude"])
    by_the_sea = np.exp(-coast_km / 18)
    old = (columns["HouseAge"] - 28.0) / 12
    bay = PLACES[place, 5] > 0.1
    value = 0.57 + PLACES[place, 5] + 0.24 * area + 0.45 * by_the_sea
    value += (0.48 + 0.35 * by_the_sea) * income
    value += np.where(bay, 0.09, -0.07) * old
    value -= 0.20 * (columns["AveOccup"] > 3.3) + 0.12 * (columns["OwnerShare"] < 0.5)
    value += 0.10 * np.tanh(2 * (columns["AveRooms"] - 5.2)) * (income > 0)
    value += NOISE * rng.standard_normal(place.size)
    value = np.exp(value).round(3).clip(0.15)
    return np.where(value > 5, CAP, value)
