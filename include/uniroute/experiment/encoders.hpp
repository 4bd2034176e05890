#pragma once

// Encoders by name, for every job that takes --encoder; embeddings of a table that survive an interrupted job.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/data/npy.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/encode/concatenated.hpp>
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/encode/lsa.hpp>
#include <uniroute/encode/read_transformer.hpp>
#include <uniroute/encode/static_encoder.hpp>
#include <uniroute/errors.hpp>
#include <uniroute/experiment/protocol_options.hpp>
#include <uniroute/random.hpp>
#include <uniroute/route/save.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What --encoder takes. Several with a + between them stand side by side, each with the same share.
inline constexpr const char* encoder_help =
    "embeddings (of the table), minilm, static, lsa, hashed (or hashed_tfidf), several joined by +, or auto: the "
    "table's "
    "embeddings, else hashed";

/// Where `make_encoder` finds what it needs.
struct encoder_settings {
  std::string model;        ///< folder of a transformer; "": all-MiniLM-L6-v2 in the cache
  std::string parts;        ///< folder for chunks of embeddings; "": in the cache
  std::size_t threads = 0;  ///< 0: all; never changes a number
  bool quiet = false;
};

namespace detail {

/// ${UNIROUTE_CACHE_DIR:-$HOME/.cache/uniroute}, as cmake/fetch_encoder.sh has it.
inline std::filesystem::path cache_folder() {
  if (const char* cache = std::getenv("UNIROUTE_CACHE_DIR"); cache != nullptr && *cache != '\0') return cache;
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : ".") / ".cache/uniroute";
}

inline std::filesystem::path model_folder(const encoder_settings& s) {
  return s.model.empty() ? cache_folder() / "all-MiniLM-L6-v2" : std::filesystem::path(s.model);
}

/// A hash of all files of a model that decide about embeddings.
inline std::uint64_t hash_model(const std::filesystem::path& folder) {
  std::uint64_t hash = 1;
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json", "vocab.txt", "tokenizer_config.json",
                           "modules.json", "1_Pooling/config.json", "sentence_bert_config.json"}) {
    if (!std::filesystem::exists(folder / name)) continue;
    const std::string bytes = detail::read_bytes(folder / name);
    hash = derive_seed(hash, hash_text(bytes) ^ hash_text(name));
  }
  return hash;
}

inline std::string hexadecimal(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

/// Calls write(path) for a name nobody reads, then gives the file (or folder) its own name in one step.
inline void write_whole(const std::filesystem::path& path,
                        const std::function<void(const std::filesystem::path&)>& write) {
  const auto staged = path.string() + ".part" + std::to_string(::getpid());
  write(staged);
  std::filesystem::rename(staged, path);
}

/// The embeddings of all texts, in chunks of 512 that are kept as .npy files named by a hash of the encoder and their
/// texts: an interrupted job goes on where it was, and a changed text costs one chunk.
/// `encode` is called with the texts of a chunk; `show` with texts done and in all.
inline embedding_matrix encode_in_chunks(std::span<const std::string> texts, std::size_t dimension,
                                         std::uint64_t encoder_hash, const std::filesystem::path& folder,
                                         const std::function<embedding_matrix(std::span<const std::string>)>& encode,
                                         const std::function<void(std::size_t, std::size_t)>& show) {
  constexpr std::size_t chunk = 512;
  std::filesystem::create_directories(folder);
  auto out = make_matrix<float>(texts.size(), dimension);
  for (std::size_t first = 0; first < texts.size(); first += chunk) {
    const auto part = texts.subspan(first, std::min(chunk, texts.size() - first));
    std::uint64_t hash = encoder_hash;
    for (const auto& text : part) hash = derive_seed(hash, hash_text(text));
    const auto path = folder / (hexadecimal(hash) + ".npy");
    auto x = make_matrix<float>(0, 0);
    try {
      if (std::filesystem::exists(path)) x = read_npy_matrix<float>(path);
    } catch (const format_error&) {  // written half by a machine that went down: made again
    }
    if (rows(x) != part.size() || columns(x) != dimension) {
      x = encode(part);
      write_whole(path, [&](const auto& staged) { uniroute::write_npy(staged, x); });
    }
    std::copy(x.data(), x.data() + x.size(), out.data() + first * dimension);
    show(std::min(first + chunk, texts.size()), texts.size());
  }
  return out;
}

/// A line on stderr that grows, when there is a terminal to look at it.
inline std::function<void(std::size_t, std::size_t)> text_progress(const std::string& what, bool quiet) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  return [=, last = std::size_t{101}](std::size_t done, std::size_t all) mutable {
    const std::size_t percent = all == 0 ? 100 : done * 100 / all;
    if (quiet || percent == last || (!terminal && percent / 10 == last / 10 && percent != 100)) return;
    last = percent;
    std::fprintf(stderr, "%s%s: %3zu%%  %zu of %zu prompts%s", terminal ? "\r" : "", what.c_str(), percent, done, all,
                 terminal && done != all ? "" : "\n");
  };
}

/// The transformer of a folder; what its files say and nothing reads is said.
inline transformer_encoder open_transformer(const std::filesystem::path& folder, transformer_options options) {
  std::vector<std::string> notes;
  auto out = read_transformer(folder, std::move(options), &notes);
  for (const auto& note : notes) std::fprintf(stderr, "%s: %s\n", folder.string().c_str(), note.c_str());
  return out;
}

/// The static encoder of a model: distilled once, then read from the cache.
inline static_encoder cached_static(const encoder_settings& s) {
  const auto model = model_folder(s);
  static_encoder out{{.threads = s.threads}};
  const auto kept = cache_folder() / ("static-" + hexadecimal(hash_model(model)) + "-256");
  if (std::filesystem::exists(kept)) {
    read_router(out, kept);
    return out;
  }
  auto show = text_progress("Distilling the static encoder", s.quiet);
  out = distill(open_transformer(model, {.threads = s.threads, .on_prompts = show}),
                {.dimension = 256, .threads = s.threads});
  std::filesystem::create_directories(cache_folder());
  write_whole(kept, [&](const auto& staged) { write_router(out, staged); });
  return out;
}

/// The embeddings of the texts by MiniLM or the static encoder, which learn nothing from the table.
inline embedding_matrix embed_texts(const std::string& name, std::span<const std::string> texts,
                                    const encoder_settings& s) {
  if (name == "static") return cached_static(s).encode(texts);
  const auto model = model_folder(s);
  const auto encoder = open_transformer(model, {.threads = s.threads, .on_prompts = {}});
  const auto folder = s.parts.empty() ? cache_folder() / "embeddings" : std::filesystem::path(s.parts);
  return encode_in_chunks(
      texts, encoder.dimension(), hash_model(model), folder, [&](auto part) { return encoder.encode(part); },
      text_progress("Encoding with " + model.filename().string(), s.quiet));
}

/// An encoder that is fitted on the training prompts of each trial.
template <class Encoder>
embed_function fitted_on_training(std::shared_ptr<const std::vector<std::string>> texts, Encoder blank) {
  return [texts, blank](std::span<const std::size_t> training) {
    std::vector<std::string> prompts;
    for (const std::size_t i : training) prompts.push_back((*texts)[i]);
    Encoder encoder = blank;
    encoder.fit(prompts);
    return encoder.encode(*texts);
  };
}

/// Both side by side, each with the same share of squared distances for the number of encoders joined.
inline embed_function side_by_side(std::vector<embed_function> parts) {
  return [parts](std::span<const std::size_t> training) {
    std::vector<embedding_matrix> all;
    std::size_t width = 0;
    for (const auto& part : parts) {
      all.push_back(part(training));
      width += columns(all.back());
    }
    auto out = make_matrix<float>(rows(all[0]), width);
    const float scale = 1 / std::sqrt(static_cast<float>(all.size()));
    for (std::size_t i = 0; i < rows(out); ++i) {
      std::size_t at = 0;
      for (const auto& x : all) {
        for (const float value : row(x, i)) out(i, at++) = value * scale;
      }
    }
    return out;
  };
}

}  // namespace detail

/// An encoder that was chosen by name.
struct named_encoder {
  std::string name;      ///< what is used, which is not what was asked for where that is absent
  embed_function embed;  ///< of the whole table
};

/// The encoder of that name for a table. Where minilm or static is asked for and there is no model, says so in one line
/// and goes on with the table's embeddings, else with hashed words. Throws std::invalid_argument for an unknown name
/// and for what the table does not have.
inline named_encoder make_encoder(const routing_table& table, std::string name, const encoder_settings& s = {}) {
  const auto otherwise = [&] { return std::string(table.has_embeddings() ? "embeddings" : "hashed_tfidf"); };
  if (name == "auto") name = otherwise();
  if (const auto plus = name.find('+'); plus != std::string::npos) {
    named_encoder out;
    std::vector<embed_function> parts;
    for (std::size_t start = 0; start <= name.size();) {
      const std::size_t end = std::min(name.find('+', start), name.size());
      auto part = make_encoder(table, name.substr(start, end - start), s);
      out.name += (out.name.empty() ? "" : "+") + part.name;
      parts.push_back(std::move(part.embed));
      start = end + 1;
    }
    out.embed = detail::side_by_side(std::move(parts));
    return out;
  }
  if ((name == "minilm" || name == "static") &&
      !std::filesystem::exists(detail::model_folder(s) / "model.safetensors")) {
    std::fprintf(stderr, "--encoder %s: there is no model in %s (cmake/fetch_encoder.sh); going on with %s\n",
                 name.c_str(), detail::model_folder(s).string().c_str(), otherwise().c_str());
    name = otherwise();
  }
  if (name == "embeddings") {
    detail::require(table.has_embeddings(), "--encoder is embeddings, but table '", table.name(),
                    "' has no embeddings.npy (use --encoder hashed)");
    return {name, [x = table.embeddings()](std::span<const std::size_t>) { return x; }};
  }
  detail::require(table.has_prompts(), "--encoder is ", name, ", but table '", table.name(), "' has no prompt texts");
  const auto texts = std::make_shared<const std::vector<std::string>>(table.prompts().begin(), table.prompts().end());
  if (name == "hashed" || name == "hashed_tfidf")
    return {"hashed_tfidf", detail::fitted_on_training(texts, hashed_tfidf{{.dimension = 256}})};
  if (name == "lsa") return {name, detail::fitted_on_training(texts, lsa{})};
  detail::require(name == "minilm" || name == "static", "--encoder is '", name, "', but must be ", encoder_help);
  return {name, [x = detail::embed_texts(name, *texts, s)](std::span<const std::size_t>) { return x; }};
}

}  // namespace uniroute
