"""Splink on the same rows and the same blocking keys: `python beside_splink.py PEOPLE.csv KEYS` prints one JSON object.

The rows have the columns that `bench match` writes; `k0 ... k(KEYS-1)` are the keys of the blocking rules (empty is none), so both compare the
same candidate pairs. Comparisons, training and thresholds follow Splink's own guide for data of people; of all thresholds the best one is
taken, with the truth at hand, which is more than a user can do.
"""
import json
import resource
import sys
import time

from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI
import splink.comparison_library as cl
import duckdb
import splink

path, keys = sys.argv[1], int(sys.argv[2])
began = time.perf_counter()
connection = duckdb.connect()
connection.execute("SET threads = 2")
columns = ["first_name", "surname", "dob", "email", "phone", "postcode", "city"] + [f"k{at}" for at in range(keys)]
said = ", ".join(f"nullif({name}, '') AS {name}" for name in columns)
connection.execute(f"CREATE TABLE people AS SELECT id AS unique_id, person, {said} FROM read_csv('{path}', all_varchar = true)")
api = DuckDBAPI(connection)
rows = api.register("people")
settings = SettingsCreator(
    link_type="dedupe_only",
    comparisons=[
        cl.NameComparison("first_name").configure(term_frequency_adjustments=True),
        cl.NameComparison("surname").configure(term_frequency_adjustments=True),
        cl.DateOfBirthComparison("dob", input_is_string=True),
        cl.EmailComparison("email").configure(term_frequency_adjustments=True),
        cl.LevenshteinAtThresholds("phone", [1]),
        cl.LevenshteinAtThresholds("postcode", [1]).configure(term_frequency_adjustments=True),
        cl.JaroWinklerAtThresholds("city", [0.88]).configure(term_frequency_adjustments=True),
    ],
    blocking_rules_to_generate_predictions=[block_on(f"k{at}") for at in range(keys)],
    retain_matching_columns=False,
)
linker = Linker(rows, settings, log_level="ERROR")
linker.training.estimate_probability_two_random_records_match(
    [block_on("email", "surname"), block_on("phone", "surname"), block_on("first_name", "surname", "dob")], recall=0.7
)
linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
for rule in [block_on("email"), block_on("first_name", "dob"), block_on("surname", "postcode")]:
    linker.training.estimate_parameters_using_expectation_maximisation(rule)
trained = time.perf_counter()
predicted = linker.inference.predict(threshold_match_probability=0.01)
scored = time.perf_counter()

results = []
true_pairs = connection.execute("SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM people GROUP BY person)").fetchall()[0][0]
clustering = 0.0
for threshold in [0.5, 0.8, 0.95, 0.99, 0.999, 0.9999]:
    start = time.perf_counter()
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=threshold)
    clustering = time.perf_counter() - start
    name = clusters.physical_name
    found, both = connection.execute(
        f"""WITH c AS (SELECT cluster_id, people.person FROM {name} JOIN people USING (unique_id))
        SELECT (SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM c GROUP BY cluster_id)),
               (SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM c GROUP BY cluster_id, person))"""
    ).fetchall()[0]
    results.append((2 * both / (found + true_pairs), both / found, both / true_pairs, threshold))
f1, precision, recall, threshold = max(results)
pairs = connection.execute(f"SELECT count(*) FROM {predicted.physical_name}").fetchall()[0][0]
print(
    json.dumps(
        {
            "version": splink.__version__,
            "seconds": round(scored - began + clustering, 2),
            "training_seconds": round(trained - began, 2),
            "scoring_seconds": round(scored - trained, 2),
            "links": pairs,
            "f1": round(float(f1), 4),
            "precision": round(float(precision), 4),
            "recall": round(float(recall), 4),
            "threshold": threshold,
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000,
        }
    )
)
