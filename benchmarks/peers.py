"""Ratios of faiss and scikit-learn to the same sgemm, where python3 has them: "kernel <tab> peer and ratio" a line.

usage: peers.py [FILTER]. Optional: ./benchmarks/run leaves it out where numpy is missing.
"""
import re
import sys
import time

import numpy as np

try:
    import faiss
    faiss.omp_set_num_threads(1)
except ImportError:
    faiss = None
try:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits
    threadpool_limits(1)
except ImportError:
    KMeans = None


def seconds(call, turns=3):
    """The median of some turns."""
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return sorted(times)[turns // 2]


def points(n, d, seed):
    """Rows around 64 centres, as in ratio.hpp."""
    draws = np.random.default_rng(seed)
    centres = np.random.default_rng(1).standard_normal((64, d))
    return (centres[draws.integers(64, size=n)] + draws.random((n, d)) - 0.5).astype(np.float32)


def sgemm(a, b):
    out = np.empty((len(a), len(b)), np.float32)
    return seconds(lambda: np.matmul(a, b.T, out=out))


def lloyd(n, d, k):
    """Seconds an iteration: of eleven less of one, over ten."""
    x = points(n, d, 2)
    start = x[np.arange(k) * n // k].copy()
    found = []
    if faiss:
        def fit(turns):
            index = faiss.IndexFlatL2(d)
            clustering = faiss.Clustering(d, k)
            clustering.niter, clustering.max_points_per_centroid = turns, n
            faiss.copy_array_to_vector(start.ravel(), clustering.centroids)
            clustering.train(x, index)
        found.append(("faiss", (seconds(lambda: fit(11), 1) - seconds(lambda: fit(1), 1)) / 10))
    if KMeans:
        def fit_sk(turns):
            KMeans(k, init=start, n_init=1, max_iter=turns, tol=0).fit(x)
        found.append(("scikit-learn", (seconds(lambda: fit_sk(11), 1) - seconds(lambda: fit_sk(1), 1)) / 10))
    return found, sgemm(x, start)


def neighbours():
    if not faiss:
        return [], 1.0
    x, asked = points(100000, 384, 9), points(4096, 384, 10)
    index = faiss.IndexFlatL2(384)
    index.add(x)
    limit = sum(sgemm(asked, part) for part in np.split(x, 4))
    return [("faiss", seconds(lambda: index.search(asked, 100), 1))], limit


import warnings
warnings.filterwarnings("ignore")
wanted = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
kernels = {f"kmeans_iteration_k{k}": (lambda n=n, d=d, k=k: lloyd(n, d, k))
           for n, d, k in [(100000, 384, 64), (100000, 384, 256), (200000, 128, 1024)]}
kernels["knn_k100"] = neighbours
for name, measure in kernels.items():
    if wanted.search(name):
        times, limit = measure()
        print(name, ", ".join(f"{peer} {taken / limit:.2f}" for peer, taken in times), sep="\t", flush=True)
