#pragma once

// A sentence encoder of the BERT family: text → tokens → transformer → pooled and normalised embedding.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/encode/detail/transformer.hpp>
#include <uniroute/encode/wordpiece_tokenizer.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How the states of a prompt's tokens become one embedding.
enum class pooling {
  mean,        ///< of all tokens, first and last included
  first_token  ///< the state of [CLS]
};

/// What a model folder says beside the weights.
struct transformer_settings {
  pooling pool = pooling::mean;
  bool normalise = true;          ///< embeddings have length 1
  std::size_t most_tokens = 256;  ///< longer prompts are cut at the end; at least 2, at most the table of positions
};

/// How `transformer_encoder` runs; nothing here changes an embedding.
struct transformer_options {
  std::size_t threads = 1;  ///< of batches; 0: all of the machine; never changes a bit
  /// Progress of a batch: prompts done, prompts in all. Called under a lock, from any thread.
  std::function<void(std::size_t done, std::size_t all)> on_prompts = {};
};

/// all-MiniLM-L6-v2 and its kin (Reimers and Gurevych 2019; Wang et al. 2020), read by `read_transformer`.
/// `fit` does nothing: the model was trained elsewhere. A batch is sorted by length and packed into tiles without
/// padding; tiles go to threads, BLAS runs on one, so threads never change a bit. Other tile-mates change an embedding
/// by rounding alone (1e-6). Cost: 12 H² + 2 H L multiplications a token and layer at L tokens; 1,100 tokens × H floats
/// of workspace a thread. Copies share the weights. Const members are thread-safe.
class transformer_encoder {
 public:
  static constexpr bool learns = false;  ///< `fit` has nothing to learn: texts need be embedded but once

  transformer_encoder() = default;  ///< no model until `load`

  /// Throws std::invalid_argument if tokenizer, weights and settings do not fit together.
  transformer_encoder(wordpiece_tokenizer tokenizer, detail::transformer_weights weights, transformer_settings settings,
                      transformer_options options = {})
      : options_(std::move(options)), settings_(settings) {
    const auto fault = find_fault(tokenizer, weights, settings);
    detail::require(fault.empty(), "transformer_encoder: ", fault);
    model_ = std::make_shared<const parts>(parts{std::move(tokenizer), std::move(weights)});
  }

  /// Nothing to learn.
  void fit(std::span<const std::string>) { require_model(); }

  std::size_t dimension() const noexcept { return model_ ? model_->weights.width() : 0; }  ///< H; 0 without a model
  const transformer_settings& settings() const noexcept { return settings_; }
  const transformer_options& options() const noexcept { return options_; }
  /// Throws not_fitted without a model.
  const wordpiece_tokenizer& tokenizer() const {
    require_model();
    return model_->tokenizer;
  }

  /// Embeddings of all prompts, n x H. Throws not_fitted without a model.
  embedding_matrix encode(std::span<const std::string> prompts) const {
    require_model();
    std::vector<std::vector<std::uint32_t>> tokens(prompts.size());
    detail::parallel_in_blocks(prompts.size(), options_.threads, [&](std::size_t i) {
      model_->tokenizer.append(prompts[i], settings_.most_tokens, tokens[i]);
    });
    return encode_tokens(tokens);
  }

  /// Embeddings of prompts given as tokens, which include the first and last ones of the tokenizer: n x H.
  /// Throws not_fitted, std::invalid_argument for a prompt without tokens, with too many or an unknown one.
  embedding_matrix encode_tokens(std::span<const std::vector<std::uint32_t>> tokens) const {
    require_model();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      detail::require(!tokens[i].empty() && tokens[i].size() <= rows(model_->weights.positions),
                      "transformer_encoder: prompt ", i, " has ", tokens[i].size(), " tokens, but must have 1 to ",
                      rows(model_->weights.positions));
      for (const std::uint32_t token : tokens[i])
        detail::require(token < rows(model_->weights.words), "transformer_encoder: prompt ", i, " has token ", token,
                        ", but must be below ", rows(model_->weights.words));
    }
    auto out = make_matrix<float>(tokens.size(), dimension());
    const auto tiles = make_tiles(tokens);
    std::vector<workspace> workers(detail::thread_count(options_.threads));
    std::mutex guard;
    std::size_t done = 0;
    detail::parallel_for(tiles.size(), options_.threads, [&](std::size_t t, std::size_t worker) {
      workspace& work = workers[worker];
      work.tokens.clear();
      work.lengths.clear();
      for (const std::size_t i : tiles[t]) {
        work.tokens.insert(work.tokens.end(), tokens[i].begin(), tokens[i].end());
        work.lengths.push_back(tokens[i].size());
      }
      const float* states = detail::transformer_states(model_->weights, work.tokens, work.lengths, work.buffers);
      for (const std::size_t i : tiles[t]) {
        pool(states, tokens[i].size(), row(out, i));
        states += tokens[i].size() * dimension();
      }
      if (options_.on_prompts) {
        const std::lock_guard lock(guard);
        done += tiles[t].size();
        options_.on_prompts(done, tokens.size());
      }
    });
    return out;
  }

  /// The embedding of one prompt into out (H values). Allocates nothing once a prompt as long was seen on this thread.
  /// Throws not_fitted, std::invalid_argument for another size of out.
  void encode(std::string_view prompt, std::span<float> out) const {
    require_model();
    detail::require(out.size() == dimension(), "transformer_encoder::encode: out has ", out.size(),
                    " values, but must have ", dimension());
    thread_local workspace work;
    work.tokens.clear();
    model_->tokenizer.append(prompt, settings_.most_tokens, work.tokens);
    work.lengths.assign(1, work.tokens.size());
    pool(detail::transformer_states(model_->weights, work.tokens, work.lengths, work.buffers), work.tokens.size(), out);
  }

  /// The whole model, vocabulary and weights as float32: the files it came from are not needed again.
  state save() const {
    require_model();
    state out;
    members(*model_, settings_, detail::member_writer(out));
    return out;
  }

  /// Takes the model and all settings; options stay. Throws format_error if something is missing or does not fit.
  void load(const state& s) {
    parts model;
    transformer_settings settings;
    members(model, settings, detail::member_reader(s));
    const auto fault = find_fault(model.tokenizer, model.weights, settings);
    detail::require_state(fault.empty(), "transformer_encoder: " + fault);
    model_ = std::make_shared<const parts>(std::move(model));
    settings_ = settings;
  }

 private:
  static constexpr std::size_t most_layers = 1000;
  /// Tokens of a tile: enough for BLAS to be at its best, few enough for the widest layer to stay in cache.
  static constexpr std::size_t tile_tokens = 256;

  struct parts {
    wordpiece_tokenizer tokenizer;
    detail::transformer_weights weights;
  };

  struct workspace {
    std::vector<std::uint32_t> tokens;
    std::vector<std::size_t> lengths;
    detail::transformer_workspace buffers;
  };

  void require_model() const {
    detail::require<not_fitted>(model_ != nullptr, "transformer_encoder: there is no model");
  }

  /// What a state holds of it.
  static void members(auto& model, auto& settings, auto&& visit) {
    static constexpr const char* poolings[] = {"mean", "first_token"};
    auto& w = model.weights;
    std::size_t layers = w.layers.size();
    visit("tokenizer", model.tokenizer);
    visit("pooling", detail::by_name{settings.pool, poolings});
    visit("normalise", settings.normalise);
    visit("most_tokens", settings.most_tokens);
    visit("heads", w.heads);
    visit("layers", layers);
    detail::require_state(layers <= most_layers, "transformer_encoder: there must be at most 1000 layers");
    if constexpr (!std::is_const_v<std::remove_reference_t<decltype(w)>>) w.layers.resize(layers);
    visit("epsilon", w.epsilon);
    for_each_array(w, visit);
  }

  /// Calls visit(name, array) for all weights.
  template <class Weights, class Visit>
  static void for_each_array(Weights& w, Visit&& visit) {
    visit("words", w.words);
    visit("positions", w.positions);
    visit("scale", w.scale);
    visit("shift", w.shift);
    for (std::size_t i = 0; i < w.layers.size(); ++i) {
      auto& layer = w.layers[i];
      const std::string prefix = "layer_" + std::to_string(i) + "/";
      visit(prefix + "attend", layer.attend);
      visit(prefix + "attend_bias", layer.attend_bias);
      visit(prefix + "project", layer.project);
      visit(prefix + "project_bias", layer.project_bias);
      visit(prefix + "first_scale", layer.first_scale);
      visit(prefix + "first_shift", layer.first_shift);
      visit(prefix + "widen", layer.widen);
      visit(prefix + "widen_bias", layer.widen_bias);
      visit(prefix + "narrow", layer.narrow);
      visit(prefix + "narrow_bias", layer.narrow_bias);
      visit(prefix + "second_scale", layer.second_scale);
      visit(prefix + "second_shift", layer.second_shift);
    }
  }

  /// What does not fit together, in words; empty if all does.
  static std::string find_fault(const wordpiece_tokenizer& tokenizer, const detail::transformer_weights& w,
                                const transformer_settings& settings) {
    const std::size_t h = w.width();
    if (h == 0 || w.heads == 0 || h % w.heads != 0)
      return detail::text("the width is ", h, ", but must be a multiple of the ", w.heads, " heads");
    if (tokenizer.size() == 0 || tokenizer.size() > rows(w.words))
      return detail::text("the vocabulary has ", tokenizer.size(), " entries, but the table of words has ",
                          rows(w.words));
    if (settings.most_tokens < 2 || settings.most_tokens > rows(w.positions))
      return detail::text("most_tokens is ", settings.most_tokens, ", but must be 2 to ", rows(w.positions));
    if (w.layers.empty()) return "there are 0 layers, but must be at least 1";
    if (!(w.epsilon >= 0 && w.epsilon < 1)) return "epsilon must be in [0, 1)";
    std::string fault;
    const auto check = [&](const std::string& name, const matrix<float>& values, std::size_t n, std::size_t m) {
      if (fault.empty() && (rows(values) != n || columns(values) != m))
        fault = detail::text(name, " is ", rows(values), " x ", columns(values), ", but must be ", n, " x ", m);
    };
    for_each_array(w, [&](const std::string& name, const matrix<float>& values) {
      const std::string_view leaf = std::string_view(name).substr(name.find('/') + 1);
      const bool layered = name.find('/') != std::string::npos;
      const auto& layer = w.layers[layered ? std::stoul(name.substr(6)) : 0];
      const std::size_t inner = rows(layer.widen);
      if (leaf == "words")
        check(name, values, rows(w.words), h);
      else if (leaf == "positions")
        check(name, values, rows(w.positions), h);
      else if (leaf == "attend")
        check(name, values, 3 * h, h);
      else if (leaf == "attend_bias")
        check(name, values, 1, 3 * h);
      else if (leaf == "project")
        check(name, values, h, h);
      else if (leaf == "widen")
        check(name, values, inner, h);
      else if (leaf == "widen_bias")
        check(name, values, 1, inner);
      else if (leaf == "narrow")
        check(name, values, h, inner);
      else
        check(name, values, 1, h);
    });
    return fault;
  }

  /// Prompts in order of length, packed into tiles of about tile_tokens; the longest first, so that threads end
  /// together.
  static std::vector<std::vector<std::size_t>> make_tiles(std::span<const std::vector<std::uint32_t>> tokens) {
    std::vector<std::size_t> order(tokens.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return tokens[a].size() > tokens[b].size(); });
    std::vector<std::vector<std::size_t>> tiles;
    std::size_t filled = tile_tokens;
    for (const std::size_t i : order) {
      if (filled + tokens[i].size() > tile_tokens) {
        tiles.emplace_back();
        filled = 0;
      }
      tiles.back().push_back(i);
      filled += tokens[i].size();
    }
    return tiles;
  }

  /// One prompt's embedding from the states of its n tokens.
  void pool(const float* states, std::size_t n, std::span<float> out) const noexcept {
    const std::size_t d = out.size();
    std::copy(states, states + d, out.begin());
    if (settings_.pool == pooling::mean) {
      for (std::size_t i = 1; i < n; ++i) {
        for (std::size_t j = 0; j < d; ++j) out[j] += states[i * d + j];
      }
      for (float& value : out) value /= static_cast<float>(n);
    }
    if (!settings_.normalise) return;
    double square = 0;
    for (const float value : out) square += static_cast<double>(value) * static_cast<double>(value);
    const double scale = 1 / std::max(std::sqrt(square), 1e-12);
    for (float& value : out) value = static_cast<float>(static_cast<double>(value) * scale);
  }

  transformer_options options_;
  transformer_settings settings_;
  std::shared_ptr<const parts> model_;
};

static_assert(encoder<transformer_encoder>);

}  // namespace uniroute
