#pragma once

// A method with an encoder of its own, beside methods that take the table's embeddings.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/trial.hpp>
#include <uniroute/random.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

namespace uniroute {

namespace detail {

/// Embeddings of texts by an encoder that learns nothing, each made once, whoever asks. Thread-safe.
template <class Encoder>
class embedding_cache {
 public:
  explicit embedding_cache(Encoder encoder) : encoder_(std::move(encoder)) {}

  embedding_matrix encode(std::span<const std::string_view> texts) {
    const std::lock_guard lock(guard_);
    std::vector<std::string> fresh;
    std::vector<std::uint64_t> hashes;
    std::unordered_map<std::uint64_t, std::size_t> places;
    for (const auto text : texts) {
      const std::uint64_t hash = hash_text(text);
      hashes.push_back(hash);
      if (!places_.contains(hash) && places.emplace(hash, places_.size() + fresh.size()).second)
        fresh.emplace_back(text);
    }
    if (!fresh.empty()) {  // remembered once they are there: an encoder that throws leaves all as it was
      const embedding_matrix x = encoder_.encode(fresh);
      values_.insert(values_.end(), x.begin(), x.end());
      places_.merge(places);
    }
    const std::size_t d = encoder_.dimension();
    auto out = make_matrix<float>(texts.size(), d);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto from = values_.begin() + static_cast<std::ptrdiff_t>(places_.at(hashes[i]) * d);
      std::copy(from, from + static_cast<std::ptrdiff_t>(d), row(out, i).begin());
    }
    return out;
  }

 private:
  std::mutex guard_;
  Encoder encoder_;
  std::unordered_map<std::uint64_t, std::size_t> places_;  // by hash of the text, of its row
  std::vector<float> values_;                              // rows, end to end
};

}  // namespace detail

/// The same method on embeddings of the prompts' texts by `encoder`, under the name `name`. One that learns from
/// prompts (`learns_from_prompts`) is fitted on the training prompts of every trial and never on others; one that does
/// not embeds each text once, for all trials. Methods of one trial do not share what they share with others
/// (`trial_data::memo`) with this one. The method throws std::invalid_argument where prompts have no texts.
template <encoder Encoder>
routing_method encoded_by(std::string name, Encoder encoder, routing_method method) {
  const auto cache = std::make_shared<detail::embedding_cache<Encoder>>(encoder);
  auto predict = [cache, blank = std::move(encoder), name, inner = method.predict](const trial_data& trial) {
    detail::require(trial.train.texts.size() == rows(trial.train_x) && trial.test.texts.size() == rows(trial.test_x) &&
                        trial.validation.texts.size() == rows(trial.validation_x),
                    "encoded_by: method '", name, "' encodes texts, but the prompts of the trial have none");
    trial_data own = trial;
    if constexpr (learns_from_prompts<Encoder>) {
      const auto strings = [](const std::vector<std::string_view>& of) {
        return std::vector<std::string>(of.begin(), of.end());
      };
      Encoder fitted = blank;
      const auto training = strings(trial.train.texts);
      fitted.fit(training);
      own.train_x = fitted.encode(training);
      own.validation_x = fitted.encode(strings(trial.validation.texts));
      own.test_x = fitted.encode(strings(trial.test.texts));
    } else {
      own.train_x = cache->encode(trial.train.texts);
      own.validation_x = cache->encode(trial.validation.texts);
      own.test_x = cache->encode(trial.test.texts);
    }
    return inner(own);
  };
  method.name = std::move(name);
  method.predict = std::move(predict);
  return method;
}

}  // namespace uniroute
