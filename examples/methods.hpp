#pragma once

// The methods that the experiments compare, by the names they have in results.json. Hyper-parameters are chosen in each
// trial by treating seen LLMs as new; what several methods need (K-means cells, rehearsals, predictions) is made once a
// trial.

#include <algorithm>
#include <cstddef>
#include <string>
#include <uniroute/uniroute.hpp>
#include <utility>
#include <vector>

namespace methods {

namespace ur = uniroute;
using method_list = std::vector<ur::routing_method>;

/// "family/K = 25" and so on: one name, one function.
inline std::string variant(const std::string& family, const std::string& letter, std::size_t value) {
  return family + "/" + letter + " = " + std::to_string(value);
}

/// K-means cells of the training prompts, found once a trial.
inline ur::prefitted<> cells(const ur::trial_data& t, std::size_t k) {
  k = std::min(k, ur::rows(t.train_x));
  return ur::prefitted(t.memo.get<ur::kmeans<>>("kmeans " + std::to_string(k), [&] {
    ur::kmeans<> out({.clusters = k, .seed = t.seed});
    out.fit(t.train_x);
    return out;
  }));
}

/// The paper's: unshrunk hard cells.
inline ur::routing_method kmeans_hard(std::size_t k) {
  return ur::predictor_method(variant("kmeans_hard", "K", k), [k](const ur::trial_data& t) {
    return ur::cell_predictor(cells(t, k), ur::nearest_map{}, ur::cell_mean{});
  });
}

inline ur::routing_method kmeans_soft(std::size_t k) {
  return ur::predictor_method(variant("kmeans_soft", "K", k), [k](const ur::trial_data& t) {
    return ur::cell_predictor(cells(t, k), ur::proximity_map{}, ur::shrunken_mean{});
  });
}

inline ur::routing_method learned_map(std::size_t k) {
  return ur::predictor_method(variant("learned_map", "K", k), [k](const ur::trial_data& t) {
    return ur::cell_predictor(cells(t, k), ur::learned_map{{.seed = t.seed}}, ur::shrunken_mean{});
  });
}

inline ur::routing_method two_level(std::size_t k) {
  return ur::predictor_method(variant("two_level", "K", k), [k](const ur::trial_data& t) {
    return ur::cell_predictor(cells(t, k), ur::proximity_map{}, ur::two_level_mean{{.seed = t.seed}});
  });
}

inline ur::routing_method skill_cells(std::size_t k) {
  return ur::predictor_method(variant("skill_cells", "K", k), [k](const ur::trial_data& t) {
    return ur::transformed(
        ur::skills{}, ur::cell_predictor(ur::kmeans{{.clusters = std::min(k, ur::rows(t.train_x)), .seed = t.seed}},
                                         ur::proximity_map{}, ur::shrunken_mean{}));
  });
}

inline ur::routing_method prox_router(std::size_t k) {
  return ur::predictor_method(variant("prox_router", "K", k), [k](const ur::trial_data& t) {
    return ur::blended_cells(cells(t, k), ur::exponential_tilt{});
  });
}

inline ur::routing_method prox_neighbours() {
  return ur::predictor_method("prox_router/neighbours", [](const ur::trial_data&) { return ur::prox_neighbours{}; });
}

inline ur::routing_method avengers(std::size_t k) {
  return ur::predictor_method(variant("avengers", "K", k),
                              [k](const ur::trial_data& t) { return ur::blended_cells(cells(t, k), ur::top_cells{}); });
}

inline ur::routing_method knn(std::size_t k) {
  return ur::predictor_method(variant("knn", "k", k),
                              [k](const ur::trial_data&) { return ur::knn{{.neighbours = k}}; });
}

inline ur::routing_method skill_knn(std::size_t k) {
  return ur::predictor_method(variant("skill_knn", "k", k), [k](const ur::trial_data&) {
    return ur::transformed(ur::skills{}, ur::knn{{.neighbours = k}});
  });
}

inline ur::routing_method ridge() {
  return ur::predictor_method("ridge", [](const ur::trial_data&) { return ur::ridge{}; });
}

/// The Gaussian process of a kernel.
template <class Kernel>
ur::routing_method process(std::string name, Kernel kernel) {
  return ur::predictor_method(std::move(name),
                              [kernel](const ur::trial_data&) { return ur::gaussian_process(kernel); });
}

/// A kernel in the space of skills.
template <class Kernel>
ur::transformed_kernel<ur::skills, Kernel> on_skills(Kernel kernel) {
  return ur::transformed_kernel(ur::skills{}, std::move(kernel));
}

inline ur::routing_method skill_ridge() { return process("skill_ridge", on_skills(ur::linear_kernel{})); }

/// Kernel: linear on the embedding plus linear on skills.
inline ur::routing_method gaussian_process() {
  return process("gaussian_process", ur::kernel_sum(ur::linear_kernel{}, on_skills(ur::linear_kernel{})));
}

/// The same with kernels that bend.
inline method_list bent_processes() {
  return {process("gaussian_process/rbf", ur::rbf_kernel{}),
          process("gaussian_process/rbf + skills", ur::kernel_sum(ur::rbf_kernel{}, on_skills(ur::linear_kernel{}))),
          process("gaussian_process/skills rbf", on_skills(ur::rbf_kernel{})),
          process("gaussian_process/linear + skills rbf",
                  ur::kernel_sum(ur::linear_kernel{}, on_skills(ur::rbf_kernel{})))};
}

inline ur::routing_method skill_logistic() {
  return ur::predictor_method(
      "skill_logistic", [](const ur::trial_data&) { return ur::transformed(ur::skills{}, ur::logistic_regression{}); });
}

inline ur::routing_method item_response() {
  return ur::predictor_method("item_response", [](const ur::trial_data&) { return ur::item_response{}; });
}

inline ur::routing_method mlp() {
  return ur::retrained_method("mlp", [](const ur::trial_data& t) { return ur::mlp{{.training = {.seed = t.seed}}}; });
}

inline ur::routing_method matrix_factorisation() {
  return ur::retrained_method("matrix_factorisation", [](const ur::trial_data& t) {
    return ur::matrix_factorisation{{.training = {.seed = t.seed}}};
  });
}

inline ur::routing_method clairvoyant_mlp() {
  return ur::clairvoyant_method("clairvoyant_mlp",
                                [](const ur::trial_data& t) { return ur::mlp{{.training = {.seed = t.seed}}}; });
}

/// The variants of a family, one for each value.
template <class Make, class... Values>
method_list variants(Make make, Values... values) {
  return {make(static_cast<std::size_t>(values))...};
}

inline ur::routing_method tuned_knn() {
  return ur::selected_on_seen("knn", variants(knn, 5, 10, 20, 40, 60, 100, 200));
}
inline ur::routing_method tuned_hard() {
  return ur::selected_on_seen("kmeans_hard", variants(kmeans_hard, 5, 10, 25, 50, 100));
}
inline ur::routing_method tuned_soft() {
  return ur::selected_on_seen("kmeans_soft", variants(kmeans_soft, 5, 10, 25, 50, 100));
}

/// What `selected` mixes: every kind of smoother that takes in new LLMs.
inline method_list ingredients() {
  method_list out{kmeans_soft(25), learned_map(25),    two_level(50),   knn(100),        ridge(),
                  skill_ridge(),   gaussian_process(), item_response(), skill_logistic()};
  for (auto& method : bent_processes()) out.push_back(std::move(method));
  return out;
}

inline ur::routing_method selected() {
  return ur::stacked_on_seen("selected", ingredients(), {.rehearsals = {.repeats = 4}, .prior = 0.1});
}

/// Those of the main job.
inline method_list main_methods() {
  return {ur::zero_router(), ur::best_single(), ur::cheapest(), tuned_knn(), tuned_hard(), tuned_soft()};
}

/// All of them; `clairvoyant_mlp` needs protocol_options::clairvoyant.
inline method_list all_methods() {
  return {ur::zero_router(),
          ur::best_single(),
          ur::cheapest(),
          tuned_knn(),
          tuned_hard(),
          tuned_soft(),
          ur::selected_on_seen("learned_map", variants(learned_map, 10, 25)),
          ur::selected_on_seen("skill_cells", variants(skill_cells, 10, 25)),
          ridge(),
          skill_ridge(),
          gaussian_process(),
          ur::selected_on_seen("two_level", variants(two_level, 25, 50, 100)),
          ur::selected_on_seen("prox_router", {prox_router(10), prox_router(50), prox_neighbours()}),
          ur::selected_on_seen("avengers", variants(avengers, 25, 50)),
          mlp(),
          matrix_factorisation(),
          clairvoyant_mlp(),
          item_response(),
          selected()};
}

}  // namespace methods
