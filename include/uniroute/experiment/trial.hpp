#pragma once

// One trial of an experiment as a method may see it: everything but the outcomes of the test prompts.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/observed.hpp>
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
  trial_memo memo = {};  ///< what methods share
};

/// What a method says of the test prompts and the unseen LLMs; one row if it does not depend on the prompt.
struct prediction {
  loss_matrix losses = make_matrix<double>(0, 0);
  cost_matrix costs = make_matrix<double>(0, 0);
  std::string chosen = {};                                   ///< hyper-parameters that the method chose, for the report
  std::vector<std::pair<std::string, double>> weights = {};  ///< of the methods that it mixes, for the report
};

/// A named function of a trial. It must be deterministic in the trial and safe to call from several threads. Names tell
/// methods apart: one name, one function. "family/option" names a variant, of which reports show the option.
struct routing_method {
  std::string name;
  std::function<prediction(const trial_data&)> predict;
};

/// What a method says of a trial, computed once a trial.
inline const prediction& predict_once(const routing_method& method, const trial_data& trial) {
  return trial.memo.get<prediction>("prediction of " + method.name, [&] { return method.predict(trial); });
}

/// The option of a variant "family/option"; the whole name where there is no slash.
inline std::string option_of(const std::string& name) {
  const auto slash = name.find('/');
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

/// The method that fits `make(trial)`, a pool_adaptive predictor, on the training prompts and enrols the unseen LLMs.
/// Costs are the means of the validation prompts.
template <class Make>
routing_method predictor_method(std::string name, Make make) {
  static_assert(
      pool_adaptive<std::invoke_result_t<Make&, const trial_data&>>,
      "predictor_method: Make(trial) must return a pool_adaptive predictor: the LLMs of a trial were not seen "
      "when it was fitted, so it needs set_validation, enroll, retire and models");
  return {std::move(name), [make = std::move(make)](const trial_data& trial) {
            auto model = make(trial);
            model.fit(trial.train_x, trial.train_losses);
            model.set_validation(trial.validation_x);
            for (std::size_t h = 0; h < trial.unseen.size(); ++h)
              model.enroll(trial.unseen[h], column(trial.validation_losses, h));
            return prediction{model.predict(trial.test_x), column_means(trial.validation_costs)};
          }};
}

}  // namespace uniroute
