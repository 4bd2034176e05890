#pragma once

// One trial of an experiment as a method may see it: everything but the outcomes of the test prompts.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <typeindex>
#include <typeinfo>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What the methods of one trial share, such as cells or rehearsals: made once, by whoever asks first. A copy starts
/// empty, so that a trial that was copied and changed never sees what was made for the other. For one thread.
class trial_memo {
 public:
  trial_memo() = default;
  trial_memo(const trial_memo&) noexcept {}
  trial_memo(trial_memo&& other) noexcept : values_(std::move(other.values_)) {}
  trial_memo& operator=(const trial_memo&) noexcept {
    values_.clear();
    return *this;
  }
  trial_memo& operator=(trial_memo&& other) noexcept {
    values_ = std::move(other.values_);
    return *this;
  }
  ~trial_memo() = default;

  /// The value under `key`, from make() where there is none yet; it lives as long as the memo. `make` must be a
  /// function of the trial and of what the key names. Throws std::invalid_argument if the key holds another type.
  template <class T, class Make>
  const T& get(const std::string& key, Make&& make) const {
    auto found = values_.find(key);
    if (found == values_.end()) {
      std::shared_ptr<const void> value = std::make_shared<const T>(make());  // make may itself ask the memo
      found = values_.emplace(key, entry{typeid(T), std::move(value)}).first;
    }
    detail::require(found->second.type == typeid(T), "trial_memo::get: '", key,
                    "' holds another type, but a key must have one");
    return *static_cast<const T*>(found->second.value.get());
  }

 private:
  struct entry {
    std::type_index type;
    std::shared_ptr<const void> value;
  };

  mutable std::map<std::string, entry> values_;
};

/// What is known of prompts beside their embeddings: each part is empty or has an entry a prompt. Views into the table
/// (or whatever the trial was made of), which must outlive them.
struct prompt_records {
  std::vector<std::string_view> ids = {}, texts = {}, categories = {};

  /// Those of some prompts, in that order. Indices must be within the parts that are there.
  prompt_records select(std::span<const std::size_t> prompts) const {
    prompt_records out;
    for (const auto part : {&prompt_records::ids, &prompt_records::texts, &prompt_records::categories}) {
      if ((this->*part).empty()) continue;
      for (const std::size_t i : prompts) (out.*part).push_back((this->*part)[i]);
    }
    return out;
  }
};

/// What a method learns from. Test outcomes and realised test costs are not in it.
struct trial_data {
  std::uint64_t seed = 0;                                     ///< for the method's own draws
  bool static_pool = false;                                   ///< seen and unseen are the same LLMs
  embedding_matrix train_x, validation_x, test_x;             ///< n x D each
  loss_matrix train_losses = make_matrix<double>(0, 0);       ///< training prompts x seen LLMs
  cost_matrix train_costs = make_matrix<double>(0, 0);        ///< training prompts x seen LLMs
  loss_matrix validation_losses = make_matrix<double>(0, 0);  ///< validation prompts x unseen LLMs
  cost_matrix validation_costs = make_matrix<double>(0, 0);   ///< validation prompts x unseen LLMs
  std::vector<std::string> seen, unseen;                      ///< names
  /// What no router can have: the unseen LLMs' outcomes on the training prompts, for `clairvoyant_method` and nobody
  /// else. Empty unless `protocol_options::clairvoyant`; never test outcomes; always empty in rehearsals on seen LLMs.
  loss_matrix clairvoyant_losses = make_matrix<double>(0, 0);
  prompt_records train = {}, validation = {}, test = {};  ///< ids, texts and categories, where the table has them
  trial_memo memo = {};                                   ///< what methods share
};

}  // namespace uniroute
