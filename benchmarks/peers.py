"""Ratios of faiss, scikit-learn and onnxruntime (with onnx) to the same sgemms, where python3 has them.
Prints "kernel <tab> peer and ratio" a line.

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
try:
    import onnx
    import onnxruntime
except ImportError:
    onnx = None


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


def bert(width, inner, layers, heads, vocabulary, positions):
    """The encoder of benchmarks/encode/transformer.cpp, with random weights, of onnxruntime's fused operators."""
    draws, nodes, weights = np.random.default_rng(1), [], []

    def weight(*shape):
        name = f"w{len(weights)}"
        values = (0.1 * (draws.random(shape) - 0.5)).astype(np.float32)
        weights.append(onnx.numpy_helper.from_array(values, name))
        return name

    def node(kind, inputs, domain="com.microsoft", **attributes):
        name = f"x{len(nodes)}"
        nodes.append(onnx.helper.make_node(kind, inputs, [name], domain=domain, **attributes))
        return name

    nodes.append(onnx.helper.make_node(
        "EmbedLayerNormalization",
        ["tokens", "", weight(vocabulary, width), weight(positions, width), "", weight(width), weight(width), "mask"],
        ["embedded", "lengths"], domain="com.microsoft"))
    x = "embedded"
    for _ in range(layers):
        y = node("Attention", [x, weight(width, 3 * width), weight(3 * width), "lengths"], num_heads=heads)
        y = node("MatMul", [y, weight(width, width)], "")
        x = node("SkipLayerNormalization", [y, x, weight(width), weight(width), weight(width)])
        y = node("BiasGelu", [node("MatMul", [x, weight(width, inner)], ""), weight(inner)])
        y = node("MatMul", [y, weight(inner, width)], "")
        x = node("SkipLayerNormalization", [y, x, weight(width), weight(width), weight(width)])
    nodes.append(onnx.helper.make_node("ReduceMean", [x], ["pooled"], axes=[1], keepdims=0))
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, "bert", [value(name, onnx.TensorProto.INT32, ["n", "length"]) for name in ("tokens", "mask")],
        [value("pooled", onnx.TensorProto.FLOAT, ["n", width])], weights)
    versions = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.microsoft", 1)]
    model = onnx.helper.make_model(graph, ir_version=8, opset_imports=versions)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def transformer():
    """The best of batches of 1, 4, 8 and 32 prompts, sorted by length; the limit is transformer.cpp's, in its tiles."""
    if not onnx:
        return [], 1.0
    width, inner, layers, heads, tile = 384, 1536, 6, 12, 256
    lengths = [int(8 * 32 ** (i / 31)) for i in range(32)][::-1]
    session = bert(width, inner, layers, heads, 30522, 512)

    def encode(batch):
        for first in range(0, len(lengths), batch):
            part = np.array(lengths[first:first + batch])
            mask = (np.arange(part.max()) < part[:, None]).astype(np.int32)
            session.run(None, {"tokens": 7 * mask, "mask": mask})

    x, out = np.random.default_rng(3).random((tile, inner), np.float32), np.empty((tile, inner), np.float32)
    w = np.random.default_rng(4).random((inner, inner), np.float32)
    qkv, scores = x[:, :3 * width].copy(), np.empty((tile, tile), np.float32)

    def multiply():
        for _ in range(layers):
            first = 0
            while first < len(lengths):
                end, n = first + 1, lengths[first]
                while end < len(lengths) and n + lengths[end] <= tile:
                    n, end = n + lengths[end], end + 1
                for to, source in ((3 * width, width), (width, width), (inner, width), (width, inner)):
                    np.matmul(x[:n, :source], w[:to, :source].T, out=out[:n, :to])
                at = 0
                for length in lengths[first:end]:
                    for head in range(0, width, width // heads):
                        q, k, v = (qkv[at:at + length, part * width + head:part * width + head + width // heads]
                                   for part in range(3))
                        np.matmul(q, k.T, out=scores[:length, :length])
                        np.matmul(scores[:length, :length], v, out=out[at:at + length, head:head + width // heads])
                    at += length
                first = end
    limit = seconds(multiply, 5)
    return [("onnxruntime", min(seconds(lambda: encode(batch), 5) for batch in (1, 4, 8, 32)))], limit


import warnings
warnings.filterwarnings("ignore")
wanted = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
kernels = {f"kmeans_iteration_k{k}": (lambda n=n, d=d, k=k: lloyd(n, d, k))
           for n, d, k in [(100000, 384, 64), (100000, 384, 256), (200000, 128, 1024)]}
kernels["knn_k100"] = neighbours
kernels["transformer_encoder"] = transformer
for name, measure in kernels.items():
    if wanted.search(name):
        times, limit = measure()
        print(name, ", ".join(f"{peer} {taken / limit:.2f}" for peer, taken in times), sep="\t", flush=True)
