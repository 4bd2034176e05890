// A transformer of MiniLM-L6's shape on prompts of 8 to 256 tokens, beside the products it cannot do without: the same
// shapes, in the same tiles. Weights are random, as times do not depend on them. Static encoder: beside one read of its
// rows.

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <ratio.hpp>
#include <uniroute/encode/static_encoder.hpp>
#include <uniroute/encode/transformer_encoder.hpp>

namespace {

using namespace uniroute_benchmarks;
namespace ur = uniroute;
constexpr std::size_t width = 384, inner = 1536, layers = 6, heads = 12, vocabulary = 30522, positions = 512;

ur::matrix<float> random_matrix(std::size_t n, std::size_t m, ur::random_engine& engine) {
  auto out = ur::make_matrix<float>(n, m);
  for (float& value : out) value = static_cast<float>(0.1 * (engine.uniform() - 0.5));
  return out;
}

ur::wordpiece_tokenizer tokenizer() {
  std::vector<std::string> entries{"[UNK]", "[CLS]", "[SEP]"};
  while (entries.size() < vocabulary) entries.push_back("w" + std::to_string(entries.size()));
  return ur::wordpiece_tokenizer(std::move(entries));
}

const ur::transformer_encoder& encoder() {
  static const ur::transformer_encoder made = [] {
    ur::random_engine engine(1);
    ur::detail::transformer_weights w;
    w.heads = heads;
    w.words = random_matrix(vocabulary, width, engine);
    w.positions = random_matrix(positions, width, engine);
    w.scale = ur::make_matrix<float>(1, width, 1.0F);
    w.shift = ur::make_matrix<float>(1, width, 0.0F);
    for (std::size_t i = 0; i < layers; ++i) {
      const auto ones = ur::make_matrix<float>(1, width, 1.0F), zeros = ur::make_matrix<float>(1, width, 0.0F);
      w.layers.push_back({random_matrix(3 * width, width, engine), random_matrix(1, 3 * width, engine),
                          random_matrix(width, width, engine), random_matrix(1, width, engine), ones, zeros,
                          random_matrix(inner, width, engine), random_matrix(1, inner, engine),
                          random_matrix(width, inner, engine), random_matrix(1, width, engine), ones, zeros});
    }
    return ur::transformer_encoder(tokenizer(), std::move(w), {});
  }();
  return made;
}

/// 32 prompts whose lengths are spread evenly on a log scale.
const std::vector<std::vector<std::uint32_t>>& prompts() {
  static const auto made = [] {
    ur::random_engine engine(2);
    std::vector<std::vector<std::uint32_t>> out(32);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double length = 8 * std::pow(32.0, static_cast<double>(i) / static_cast<double>(out.size() - 1));
      out[i].resize(static_cast<std::size_t>(length));
      for (auto& token : out[i]) token = static_cast<std::uint32_t>(engine.below(vocabulary));
    }
    return out;
  }();
  return made;
}

std::int64_t token_count() {
  std::int64_t count = 0;
  for (const auto& prompt : prompts()) count += static_cast<std::int64_t>(prompt.size());
  return count;
}

void encode(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(encoder().encode_tokens(prompts()).data());
  state.SetItemsProcessed(state.iterations() * token_count());
}

/// The products alone.
void multiply(benchmark::State& state) {
  using ur::detail::gemm;
  using ur::detail::op;
  ur::random_engine engine(3);
  constexpr std::size_t tile = 256;  // transformer_encoder's
  const auto x = random_matrix(tile, inner, engine), w = random_matrix(inner, width, engine),
             qkv = random_matrix(tile, 3 * width, engine);
  auto out = ur::make_matrix<float>(tile, inner), scores = ur::make_matrix<float>(tile, tile, 0.0F);
  std::vector<std::size_t> lengths;
  for (const auto& prompt : prompts()) lengths.push_back(prompt.size());
  std::sort(lengths.rbegin(), lengths.rend());
  const auto run_tile = [&](std::span<const std::size_t> in_tile) {
    const std::size_t n = std::accumulate(in_tile.begin(), in_tile.end(), std::size_t{0});
    const auto product = [&](std::size_t to, std::size_t from) {
      ur::detail::gemm_nt(n, to, from, 1, x.data(), from, w.data(), from, 0, out.data(), to);
    };
    product(3 * width, width);
    std::size_t at = 0;
    constexpr std::size_t d = width / heads;
    for (const std::size_t length : in_tile) {
      for (std::size_t head = 0; head < heads; ++head) {
        const float* q = qkv.data() + at * 3 * width + head * d;
        ur::detail::gemm_nt(length, length, d, 1, q, 3 * width, q + width, 3 * width, 0, scores.data(), length);
        gemm<float>(op::as_is, op::as_is, length, d, length, 1, scores.data(), length, q + 2 * width, 3 * width, 0,
                    out.data() + at * width + head * d, width);
      }
      at += length;
    }
    product(width, width);
    product(inner, width);
    product(width, inner);
  };
  for (auto _ : state) {
    for (std::size_t layer = 0; layer < layers; ++layer) {
      for (std::size_t first = 0, end = 0; first < lengths.size(); first = end) {
        std::size_t filled = 0;
        for (end = first; end < lengths.size() && (end == first || filled + lengths[end] <= tile); ++end)
          filled += lengths[end];
        run_tile(std::span(lengths).subspan(first, end - first));
      }
    }
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * token_count());
}

const bool added = add_ratio("transformer_encoder", encode, "its sgemms, same tiles", multiply, 1 / 0.85);

/// The same prompts as words.
const std::vector<std::string>& texts() {
  static const auto made = [] {
    std::vector<std::string> out;
    for (const auto& prompt : prompts()) {
      std::string text;
      for (const auto token : prompt) text += "w" + std::to_string(std::max<std::uint32_t>(token, 3)) + " ";
      out.push_back(std::move(text));
    }
    return out;
  }();
  return made;
}

const ur::static_encoder& table() {
  static const ur::static_encoder made = [] {
    ur::random_engine engine(4);
    return ur::static_encoder(tokenizer(), random_matrix(vocabulary, 256, engine));
  }();
  return made;
}

const bool added_static = add_ratio(
    "static_encoder",
    [](benchmark::State& state) {
      for (auto _ : state) benchmark::DoNotOptimize(table().encode(texts()).data());
      state.SetItemsProcessed(state.iterations() * token_count());
    },
    "transformer_encoder on the same tokens", encode, 0.01);

}  // namespace
