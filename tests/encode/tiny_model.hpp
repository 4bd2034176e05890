#pragma once

// A transformer small enough to write down, as files in a folder.

#include <cstdint>
#include <cstring>
#include <data/temporary_directory.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace uniroute_tests {

inline const std::vector<std::string> tiny_vocabulary{"[PAD]",
                                                      "[UNK]",
                                                      "[CLS]",
                                                      "[SEP]",
                                                      "[MASK]",
                                                      "the",
                                                      "cat",
                                                      "sat",
                                                      "##s",
                                                      "##at",
                                                      "un",
                                                      "##aff",
                                                      "##able",
                                                      "c",
                                                      "##a",
                                                      "##t",
                                                      "e",
                                                      "caf",
                                                      ".",
                                                      ",",
                                                      "\xE4\xB8\xAD",
                                                      "\xE6\x96\x87",
                                                      "1",
                                                      "##2",
                                                      "##3",
                                                      "i",
                                                      "##k",
                                                      "\xE1\x84\x92",
                                                      "##\xE1\x85\xA1",
                                                      "##\xE1\x86\xAB"};

struct named_tensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// Multiples of 1/64, so that float16, bfloat16 and float32 hold them exactly.
inline std::vector<named_tensor> tiny_tensors() {
  constexpr std::size_t h = 8, inner = 12, layers = 2, positions = 6;
  std::vector<named_tensor> out;
  const auto add = [&](std::string name, std::vector<std::size_t> shape) {
    std::size_t count = 1;
    for (const std::size_t extent : shape) count *= extent;
    const std::size_t seed = out.size() + 1;
    std::vector<float> values(count);
    for (std::size_t x = 0; x < count; ++x)
      values[x] = (static_cast<float>((x * 37 + seed * 101) * (x + seed * 7 + 3) % 61) - 30) / 64;
    out.push_back({std::move(name), std::move(shape), std::move(values)});
  };
  const auto add_pair = [&](const std::string& name, std::vector<std::size_t> shape) {
    add(name + ".weight", shape);
    add(name + ".bias", {shape[0]});
  };
  add("embeddings.word_embeddings.weight", {tiny_vocabulary.size(), h});
  add("embeddings.position_embeddings.weight", {positions, h});
  add("embeddings.token_type_embeddings.weight", {2, h});
  add_pair("embeddings.LayerNorm", {h});
  for (std::size_t i = 0; i < layers; ++i) {
    const std::string layer = "encoder.layer." + std::to_string(i) + ".";
    for (const char* part : {"query", "key", "value"}) add_pair(layer + "attention.self." + part, {h, h});
    add_pair(layer + "attention.output.dense", {h, h});
    add_pair(layer + "attention.output.LayerNorm", {h});
    add_pair(layer + "intermediate.dense", {inner, h});
    add_pair(layer + "output.dense", {h, inner});
    add_pair(layer + "output.LayerNorm", {h});
  }
  return out;
}

/// The bytes of a safetensors file. `type` is F32, or BF16, which cuts values.
inline std::string safetensors_bytes(const std::vector<named_tensor>& tensors, const std::string& type = "F32") {
  const std::size_t item = type == "F32" ? 4 : 2;
  std::string header = "{\"__metadata__\":{\"format\":\"pt\"}", data;
  for (const auto& t : tensors) {
    std::string shape;
    for (const std::size_t extent : t.shape) shape += (shape.empty() ? "" : ",") + std::to_string(extent);
    header += ",\"" + t.name + "\":{\"dtype\":\"" + type + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
              std::to_string(data.size()) + "," + std::to_string(data.size() + t.values.size() * item) + "]}";
    for (const float value : t.values) {
      char bytes[4];
      std::memcpy(bytes, &value, 4);
      data.append(bytes + 4 - item, item);
    }
  }
  header += "}";
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) out.push_back(static_cast<char>(header.size() >> (8 * i) & 0xFF));
  return out + header + data;
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

inline const std::string tiny_config =
    R"({"model_type": "bert", "hidden_act": "gelu", "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2,
        "num_attention_heads": 2, "vocab_size": 30, "max_position_embeddings": 6, "type_vocab_size": 2,
        "layer_norm_eps": 1e-12})";

/// config.json, model.safetensors, vocab.txt, pooling by the mean and normalisation.
inline void write_tiny_model(const std::filesystem::path& folder, const std::string& type = "F32") {
  std::string lines;
  for (const auto& entry : tiny_vocabulary) lines += entry + "\n";
  write_file(folder / "config.json", tiny_config);
  write_file(folder / "vocab.txt", lines);
  write_file(folder / "model.safetensors", safetensors_bytes(tiny_tensors(), type));
  write_file(folder / "1_Pooling/config.json",
             R"({"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false})");
  write_file(folder / "modules.json", R"([{"type": "sentence_transformers.models.Transformer"},
    {"type": "sentence_transformers.models.Pooling"}, {"type": "sentence_transformers.models.Normalize"}])");
}

}  // namespace uniroute_tests
