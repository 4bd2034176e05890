#pragma once

// A transformer_encoder from a model folder as sentence-transformers and Hugging Face lay it out.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/data/detail/json_file.hpp>
#include <uniroute/encode/detail/transformer.hpp>
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
    config_.require(!config_.get_or(root, "is_decoder", false), "is_decoder is true, but must be false");
    for (const auto& key : json_file::unknown_keys(root, {"_name_or_path",
                                                          "add_cross_attention",
                                                          "architectures",
                                                          "attention_probs_dropout_prob",
                                                          "bos_token_id",
                                                          "chunk_size_feed_forward",
                                                          "classifier_dropout",
                                                          "directionality",
                                                          "dtype",
                                                          "eos_token_id",
                                                          "finetuning_task",
                                                          "gradient_checkpointing",
                                                          "hidden_act",
                                                          "hidden_dropout_prob",
                                                          "hidden_size",
                                                          "id2label",
                                                          "initializer_range",
                                                          "intermediate_size",
                                                          "is_decoder",
                                                          "label2id",
                                                          "layer_norm_eps",
                                                          "max_position_embeddings",
                                                          "model_type",
                                                          "num_attention_heads",
                                                          "num_hidden_layers",
                                                          "output_past",
                                                          "pad_token_id",
                                                          "pooler_fc_size",
                                                          "pooler_num_attention_heads",
                                                          "pooler_num_fc_layers",
                                                          "pooler_size_per_head",
                                                          "pooler_type",
                                                          "position_embedding_type",
                                                          "tie_word_embeddings",
                                                          "torch_dtype",
                                                          "transformers_version",
                                                          "type_vocab_size",
                                                          "use_cache",
                                                          "vocab_size"}))
      notes_.push_back("config.json: '" + key + "' is not known, and not read");
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
  const std::vector<std::string>& notes() const noexcept { return notes_; }

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
    // Models that came from TensorFlow say gamma and beta.
    const bool legacy = !tensors_.contains(prefix_ + name + ".weight") && tensors_.contains(prefix_ + name + ".gamma");
    scale = vector_of(name + (legacy ? ".gamma" : ".weight"), width_);
    shift = vector_of(name + (legacy ? ".beta" : ".bias"), width_);
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
  std::vector<std::string> notes_;
  std::size_t width_ = 0, inner_ = 0, layers_ = 0, heads_ = 0, words_ = 0, positions_ = 0, types_ = 0;
  double epsilon_ = 0;
};

/// What a Pooling module's config.json says, in either generation of the format: {"pooling_mode": "mean"} since
/// sentence-transformers 5.4, booleans before. Throws format_error, with the key, for another pooling, or several.
inline pooling read_pooling(const json_file& file, std::vector<std::string>& notes) {
  const auto& root = file.root();
  std::vector<std::string> modes;
  for (const auto& item : root.items()) {
    const std::string& key = item.key();
    if (key == "pooling_mode") {
      file.require(item.value().is_string(), "pooling_mode is ", item.value().dump(), ", but must be mean or cls");
      modes.push_back(item.value().get<std::string>());
    } else if (key.starts_with("pooling_mode_")) {
      if (file.get<bool>(root, key.c_str())) modes.push_back(key);
    } else if (key != "word_embedding_dimension" && key != "embedding_dimension" && key != "include_prompt") {
      notes.push_back("1_Pooling/config.json: '" + key + "' is not known, and not read");
    }
  }
  std::string named;
  for (const auto& mode : modes) named += (named.empty() ? "" : " and ") + mode;
  file.require(modes.size() == 1, "the pooling is ", modes.empty() ? "not given" : named,
               ", but must be one of the mean or of the first token");
  if (modes[0] == "mean" || modes[0] == "pooling_mode_mean_tokens") return pooling::mean;
  file.require(modes[0] == "cls" || modes[0] == "pooling_mode_cls_token", "the pooling is ", modes[0],
               ", but must be of the mean (mean) or of the first token (cls)");
  return pooling::first_token;
}

/// Pooling, normalisation and the longest prompt: what sentence-transformers writes beside a model. A folder without
/// them is a plain BERT model, which is read as that library reads it: the mean of the tokens, not normalised.
/// A setting that would change embeddings and is not done here is refused by its name; a key that is not known is
/// said in `notes`.
inline transformer_settings read_transformer_settings(const std::filesystem::path& folder, std::size_t positions,
                                                      bool lower_case, std::vector<std::string>& notes) {
  transformer_settings out;
  out.most_tokens = positions;
  out.normalise = false;
  const auto present = [&](const std::string& name) { return std::filesystem::exists(folder / name); };
  const auto note = [&](const char* name, const std::vector<std::string>& keys) {
    for (const auto& key : keys) notes.push_back(std::string(name) + ": '" + key + "' is not known, and not read");
  };
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
    file.require(
        !file.get_or(file.root(), "do_lower_case", false) || lower_case,
        "do_lower_case is true, but must be false for a tokenizer that keeps capitals: prompts are not changed "
        "before they are read (set lowercase in tokenizer.json's normalizer)");
    const auto task = file.get_or(file.root(), "transformer_task", std::string("feature-extraction"));
    file.require(task == "feature-extraction", "transformer_task is '", task, "', but must be feature-extraction");
    const auto output = file.get_or(file.root(), "module_output_name", std::string("token_embeddings"));
    file.require(output == "token_embeddings", "module_output_name is '", output, "', but must be token_embeddings");
    note("sentence_bert_config.json",
         json_file::unknown_keys(file.root(), {"max_seq_length", "do_lower_case", "transformer_task",
                                               "module_output_name", "modality_config"}));
  }
  if (present("config_sentence_transformers.json")) {
    const json_file file(folder / "config_sentence_transformers.json");
    const auto found = file.root().find("default_prompt_name");
    file.require(found == file.root().end() || found->is_null(), "default_prompt_name is ",
                 found == file.root().end() ? std::string() : found->dump(),
                 ", but must be null: no text is put before prompts here; put it before yours, and take the name out");
    note("config_sentence_transformers.json",
         json_file::unknown_keys(
             file.root(), {"__version__", "prompts", "default_prompt_name", "similarity_fn_name", "model_type"}));
  }
  std::string pool = "1_Pooling";
  if (present("modules.json")) {
    // A list, which json_file does not take: wrapped into an object.
    const json_file file((folder / "modules.json").string(),
                         "{\"modules\":" + read_file(folder / "modules.json") + "}");
    std::size_t pools = 0;
    for (const auto& module : file.at(file.root(), "modules")) {
      const auto type = file.get<std::string>(module, "type");
      const auto kind = type.substr(type.rfind('.') + 1);
      file.require(kind == "Transformer" || kind == "Pooling" || kind == "Normalize", "module '", type,
                   "' is not one of Transformer, Pooling and Normalize");
      const auto path = file.get_or(module, "path", std::string());
      file.require(kind != "Transformer" || path.empty(), "the Transformer's path is '", path, "', but must be empty");
      if (kind == "Pooling") {
        file.require(++pools == 1, "there are several Pooling modules, but must be one");
        if (!path.empty()) pool = path;
      }
      if (kind == "Normalize") out.normalise = true;
    }
  }
  if (present(pool + "/config.json")) out.pool = read_pooling(json_file(folder / pool / "config.json"), notes);
  return out;
}

}  // namespace detail

/// Reads config.json, model.safetensors (F32, F16 or BF16; model_type bert with gelu), tokenizer.json or vocab.txt, and
/// where they are there modules.json, the pooling's config.json, sentence_bert_config.json,
/// config_sentence_transformers.json and tokenizer_config.json. `notes`, if given, gets a line for each key that is not
/// known and not read. Throws format_error, with file and place, for anything else, a setting that would change
/// embeddings and is not done here among it.
inline transformer_encoder read_transformer(const std::filesystem::path& folder, transformer_options options = {},
                                            std::vector<std::string>* notes = nullptr) {
  const detail::bert_reader reader(folder);
  auto tokenizer = read_tokenizer(folder);
  std::vector<std::string> said = reader.notes();
  const auto settings =
      detail::read_transformer_settings(folder, reader.positions(), tokenizer.options().lower_case, said);
  if (notes != nullptr) notes->insert(notes->end(), said.begin(), said.end());
  try {
    return {std::move(tokenizer), reader.read(), settings, std::move(options)};
  } catch (const std::invalid_argument& error) {
    throw format_error(folder.string(), 0, 0, error.what());
  }
}

}  // namespace uniroute
