#pragma once

// A transformer_encoder from a model folder as sentence-transformers and Hugging Face lay it out.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/json_file.hpp>
#include <uniroute/detail/transformer.hpp>
#include <uniroute/encode/read_tokenizer.hpp>
#include <uniroute/encode/safetensors.hpp>
#include <uniroute/encode/transformer_encoder.hpp>
#include <uniroute/errors.hpp>
#include <utility>
#include <vector>

namespace uniroute {

namespace detail {

/// The names of BERT's tensors, and the sizes that config.json gives them.
class bert_reader {
 public:
  bert_reader(const std::filesystem::path& folder)
      : config_(folder / "config.json"), tensors_(folder / "model.safetensors") {
    const auto& root = config_.root();
    const auto kind = config_.get<std::string>(root, "model_type");
    config_.require(kind == "bert", "model_type is '", kind, "', but must be bert");
    const auto activation = config_.get<std::string>(root, "hidden_act");
    config_.require(activation == "gelu", "hidden_act is '", activation, "', but must be gelu");
    const auto places = config_.get_or(root, "position_embedding_type", std::string("absolute"));
    config_.require(places == "absolute", "position_embedding_type is '", places, "', but must be absolute");
    const auto sized = [&](const char* name) {
      const auto value = config_.get<std::uint64_t>(root, name);
      config_.require(value >= 1 && value <= std::uint64_t{1} << 31, "'", name, "' is ", value,
                      ", but must be 1 to 2^31");
      return static_cast<std::size_t>(value);
    };
    width_ = sized("hidden_size");
    inner_ = sized("intermediate_size");
    layers_ = sized("num_hidden_layers");
    heads_ = sized("num_attention_heads");
    words_ = sized("vocab_size");
    positions_ = sized("max_position_embeddings");
    types_ = sized("type_vocab_size");
    epsilon_ = config_.get_or(root, "layer_norm_eps", 1e-12);
    config_.require(layers_ <= 1000, "num_hidden_layers is ", layers_, ", but must be at most 1000");
    config_.require(width_ % heads_ == 0, "hidden_size is ", width_, ", but must be a multiple of the ", heads_,
                    " heads");
    if (!tensors_.contains("embeddings.word_embeddings.weight")) prefix_ = "bert.";
  }

  std::size_t positions() const noexcept { return positions_; }

  transformer_weights read() const {
    transformer_weights w;
    w.heads = heads_;
    w.epsilon = static_cast<float>(epsilon_);
    w.words = matrix_of("embeddings.word_embeddings", words_, width_);
    w.positions = matrix_of("embeddings.position_embeddings", positions_, width_);
    const auto types = matrix_of("embeddings.token_type_embeddings", types_, width_);
    for (std::size_t i = 0; i < positions_; ++i) {
      for (std::size_t j = 0; j < width_; ++j) w.positions(i, j) += types(0, j);
    }
    read_norm("embeddings.LayerNorm", w.scale, w.shift);
    w.layers.resize(layers_);
    for (std::size_t i = 0; i < layers_; ++i) read_layer("encoder.layer." + std::to_string(i) + ".", w.layers[i]);
    return w;
  }

 private:
  matrix<float> matrix_of(const std::string& name, std::size_t n, std::size_t m) const {
    return tensors_.read_matrix(prefix_ + name + ".weight", n, m);
  }

  matrix<float> vector_of(const std::string& name, std::size_t n) const {
    const auto values = tensors_.read_vector(prefix_ + name, n);
    auto out = make_matrix<float>(1, n);
    std::copy(values.begin(), values.end(), out.begin());
    return out;
  }

  void read_norm(const std::string& name, matrix<float>& scale, matrix<float>& shift) const {
    scale = vector_of(name + ".weight", width_);
    shift = vector_of(name + ".bias", width_);
  }

  void read_layer(const std::string& name, transformer_layer& layer) const {
    // One product for queries, keys and values; room for it once the first of them is known to be in the file.
    tensors_.check_shape(prefix_ + name + "attention.self.query.weight", {width_, width_});
    layer.attend = make_matrix<float>(3 * width_, width_);
    layer.attend_bias = make_matrix<float>(1, 3 * width_);
    std::size_t part = 0;
    for (const char* which : {"query", "key", "value"}) {
      const std::string leaf = name + "attention.self." + which;
      const auto weight = matrix_of(leaf, width_, width_);
      std::copy(weight.data(), weight.data() + weight.size(), layer.attend.data() + part * weight.size());
      const auto bias = vector_of(leaf + ".bias", width_);
      std::copy(bias.data(), bias.data() + width_, layer.attend_bias.data() + part * width_);
      ++part;
    }
    layer.project = matrix_of(name + "attention.output.dense", width_, width_);
    layer.project_bias = vector_of(name + "attention.output.dense.bias", width_);
    read_norm(name + "attention.output.LayerNorm", layer.first_scale, layer.first_shift);
    layer.widen = matrix_of(name + "intermediate.dense", inner_, width_);
    layer.widen_bias = vector_of(name + "intermediate.dense.bias", inner_);
    layer.narrow = matrix_of(name + "output.dense", width_, inner_);
    layer.narrow_bias = vector_of(name + "output.dense.bias", width_);
    read_norm(name + "output.LayerNorm", layer.second_scale, layer.second_shift);
  }

  json_file config_;
  safetensors_file tensors_;
  std::string prefix_;
  std::size_t width_ = 0, inner_ = 0, layers_ = 0, heads_ = 0, words_ = 0, positions_ = 0, types_ = 0;
  double epsilon_ = 0;
};

/// Pooling, normalisation and the longest prompt: what sentence-transformers writes beside a model. A folder without
/// them is a plain BERT model, which is read as that library reads it: the mean of the tokens, not normalised.
inline transformer_settings read_transformer_settings(const std::filesystem::path& folder, std::size_t positions) {
  transformer_settings out;
  out.most_tokens = positions;
  out.normalise = false;
  const auto present = [&](const char* name) { return std::filesystem::exists(folder / name); };
  if (present("tokenizer_config.json")) {
    const json_file file(folder / "tokenizer_config.json");
    // Some models have a "very large integer" here.
    const double most = file.get_or(file.root(), "model_max_length", 1e30);
    if (most < static_cast<double>(positions)) out.most_tokens = static_cast<std::size_t>(std::max(most, 0.0));
  }
  if (present("sentence_bert_config.json")) {
    const json_file file(folder / "sentence_bert_config.json");
    const auto most = file.get_or(file.root(), "max_seq_length", std::uint64_t{out.most_tokens});
    file.require(most >= 2 && most <= positions, "max_seq_length is ", most, ", but must be 2 to ", positions);
    out.most_tokens = static_cast<std::size_t>(most);
  }
  if (present("1_Pooling/config.json")) {
    const json_file file(folder / "1_Pooling/config.json");
    const bool mean = file.get_or(file.root(), "pooling_mode_mean_tokens", false);
    const bool first = file.get_or(file.root(), "pooling_mode_cls_token", false);
    const bool other = file.get_or(file.root(), "pooling_mode_max_tokens", false) ||
                       file.get_or(file.root(), "pooling_mode_mean_sqrt_len_tokens", false);
    file.require(mean != first && !other, "the pooling must be of the mean or of the first token, one of them");
    out.pool = mean ? pooling::mean : pooling::first_token;
  }
  if (present("modules.json")) {
    // A list, which json_file does not take: wrapped into an object.
    const json_file file((folder / "modules.json").string(),
                         "{\"modules\":" + read_file(folder / "modules.json") + "}");
    for (const auto& module : file.at(file.root(), "modules")) {
      const auto type = file.get<std::string>(module, "type");
      const auto kind = type.substr(type.rfind('.') + 1);
      file.require(kind == "Transformer" || kind == "Pooling" || kind == "Normalize", "module '", type,
                   "' is not one of Transformer, Pooling and Normalize");
      if (kind == "Normalize") out.normalise = true;
    }
  }
  return out;
}

}  // namespace detail

/// Reads config.json, model.safetensors (F32, F16 or BF16; model_type bert with gelu), tokenizer.json or vocab.txt, and
/// where they are there modules.json, 1_Pooling/config.json, sentence_bert_config.json and tokenizer_config.json.
/// Throws format_error, with file and place, for anything else.
inline transformer_encoder read_transformer(const std::filesystem::path& folder, transformer_options options = {}) {
  const detail::bert_reader reader(folder);
  const auto settings = detail::read_transformer_settings(folder, reader.positions());
  try {
    return {read_tokenizer(folder), reader.read(), settings, std::move(options)};
  } catch (const std::invalid_argument& error) {
    throw format_error(folder.string(), 0, 0, error.what());
  }
}

}  // namespace uniroute
