#pragma once

// The methods that the experiments compare, by the names they have in results.json. Hyper-parameters are chosen in each
// trial by treating seen LLMs as new; what several methods need (K-means cells, rehearsals, predictions) is made once a
// trial.

#include <algorithm>
#include <cstddef>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/cluster/prefitted.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/estimate/shrunken.hpp>
#include <uniroute/estimate/two_level_mean.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/references.hpp>
#include <uniroute/experiment/retrained.hpp>
#include <uniroute/experiment/seen_as_new.hpp>
#include <uniroute/experiment/stacked_on_seen.hpp>
#include <uniroute/experiment/trial.hpp>
#include <uniroute/map/learned_map.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/map/proximity_map.hpp>
#include <uniroute/predict/avengers.hpp>
#include <uniroute/predict/blended_cells.hpp>
#include <uniroute/predict/cell_predictor.hpp>
#include <uniroute/predict/gaussian_process.hpp>
#include <uniroute/predict/item_response.hpp>
#include <uniroute/predict/kernel_sum.hpp>
#include <uniroute/predict/kernels.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/logistic_regression.hpp>
#include <uniroute/predict/matrix_factorisation.hpp>
#include <uniroute/predict/mlp.hpp>
#include <uniroute/predict/prox_router.hpp>
#include <uniroute/predict/ridge.hpp>
#include <uniroute/predict/transformed.hpp>
#include <uniroute/predict/transformed_kernel.hpp>
#include <uniroute/transform/skills.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Several methods, for `run_protocol` and for `run_comparison`.
using method_list = std::vector<routing_method>;

namespace methods {

/// "family/K = 25" and so on: one name, one function.
inline std::string variant(const std::string& family, const std::string& letter, std::size_t value) {
  return family + "/" + letter + " = " + std::to_string(value);
}

/// K-means cells of the training prompts, found once a trial.
inline prefitted<> cells(const trial_data& t, std::size_t k) {
  k = std::min(k, rows(t.train_x));
  return prefitted(t.memo.get<kmeans<>>("kmeans " + std::to_string(k), [&] {
    kmeans<> out({.clusters = k, .seed = t.seed});
    out.fit(t.train_x);
    return out;
  }));
}

/// The paper's: unshrunk hard cells.
inline routing_method kmeans_hard(std::size_t k) {
  return predictor_method(variant("kmeans_hard", "K", k),
                          [k](const trial_data& t) { return cell_predictor(cells(t, k), nearest_map{}, cell_mean{}); });
}

/// K-means cells with proximities, shrunken means.
inline routing_method kmeans_soft(std::size_t k) {
  return predictor_method(variant("kmeans_soft", "K", k), [k](const trial_data& t) {
    return cell_predictor(cells(t, k), proximity_map{}, shrunken_mean{});
  });
}

/// Memberships learnt from the seen LLMs (UniRoute, section 5.2).
inline routing_method learned_map(std::size_t k) {
  return predictor_method(variant("learned_map", "K", k), [k](const trial_data& t) {
    return cell_predictor(cells(t, k), uniroute::learned_map{{.seed = t.seed}}, shrunken_mean{});
  });
}

/// K-means cells with two-level means.
inline routing_method two_level(std::size_t k) {
  return predictor_method(variant("two_level", "K", k), [k](const trial_data& t) {
    return cell_predictor(cells(t, k), proximity_map{}, two_level_mean{{.seed = t.seed}});
  });
}

/// K-means cells in the space of skills.
inline routing_method skill_cells(std::size_t k) {
  return predictor_method(variant("skill_cells", "K", k), [k](const trial_data& t) {
    return transformed(skills{}, cell_predictor(kmeans{{.clusters = std::min(k, rows(t.train_x)), .seed = t.seed}},
                                                proximity_map{}, shrunken_mean{}));
  });
}

/// ProxRouter on K-means cells.
inline routing_method prox_router(std::size_t k) {
  return predictor_method(variant("prox_router", "K", k),
                          [k](const trial_data& t) { return blended_cells(cells(t, k), exponential_tilt{}); });
}

/// ProxRouter on neighbours.
inline routing_method prox_neighbours() {
  return predictor_method("prox_router/neighbours", [](const trial_data&) { return uniroute::prox_neighbours{}; });
}

/// Avengers on K-means cells.
inline routing_method avengers(std::size_t k) {
  return predictor_method(variant("avengers", "K", k),
                          [k](const trial_data& t) { return blended_cells(cells(t, k), top_cells{}); });
}

/// K nearest validation prompts.
inline routing_method knn(std::size_t k) {
  return predictor_method(variant("knn", "k", k), [k](const trial_data&) { return uniroute::knn{{.neighbours = k}}; });
}

/// The same in the space of skills.
inline routing_method skill_knn(std::size_t k) {
  return predictor_method(variant("skill_knn", "k", k),
                          [k](const trial_data&) { return transformed(skills{}, uniroute::knn{{.neighbours = k}}); });
}

/// Ridge regression of each LLM's outcomes on the embedding.
inline routing_method ridge() {
  return described(predictor_method("ridge", [](const trial_data&) { return uniroute::ridge{}; }),
                   "linear regression on the embedding, one for each LLM");
}

/// The Gaussian process of a kernel.
template <class Kernel>
routing_method process(std::string name, Kernel kernel) {
  return predictor_method(std::move(name), [kernel](const trial_data&) { return uniroute::gaussian_process(kernel); });
}

/// A kernel in the space of skills.
template <class Kernel>
transformed_kernel<skills, Kernel> on_skills(Kernel kernel) {
  return transformed_kernel(skills{}, std::move(kernel));
}

/// Ridge regression on skills, which is a Gaussian process.
inline routing_method skill_ridge() {
  return described(process("skill_ridge", on_skills(linear_kernel{})),
                   "linear regression on what the seen LLMs are predicted to get right");
}

/// Kernel: linear on the embedding plus linear on skills.
inline routing_method gaussian_process() {
  return described(process("gaussian_process", kernel_sum(linear_kernel{}, on_skills(linear_kernel{}))),
                   "Gaussian process on the embedding and on what the seen LLMs are predicted to get right");
}

/// The same with kernels that bend.
inline method_list bent_processes() {
  return {process("gaussian_process/rbf", rbf_kernel{}),
          process("gaussian_process/rbf + skills", kernel_sum(rbf_kernel{}, on_skills(linear_kernel{}))),
          process("gaussian_process/skills rbf", on_skills(rbf_kernel{})),
          process("gaussian_process/linear + skills rbf", kernel_sum(linear_kernel{}, on_skills(rbf_kernel{})))};
}

/// Logistic regression on skills.
inline routing_method skill_logistic() {
  return predictor_method("skill_logistic",
                          [](const trial_data&) { return transformed(skills{}, logistic_regression{}); });
}

/// Item response theory.
inline routing_method item_response() {
  return described(predictor_method("item_response", [](const trial_data&) { return uniroute::item_response{}; }),
                   "ability of the LLM against difficulty of the prompt (item response theory)");
}

/// A network that is trained again in every trial.
inline routing_method mlp() {
  return described(
      retrained_method("mlp", [](const trial_data& t) { return uniroute::mlp{{.training = {.seed = t.seed}}}; }),
      "RouteLLM's kind: a network on the embedding, trained again with every new LLM");
}

/// RouteLLM's matrix factorisation, trained again in every trial.
inline routing_method matrix_factorisation() {
  return described(retrained_method("matrix_factorisation",
                                    [](const trial_data& t) {
                                      return uniroute::matrix_factorisation{{.training = {.seed = t.seed}}};
                                    }),
                   "RouteLLM's: LLMs as vectors that a projection of the embedding meets, trained again");
}

/// `mlp` that also knows the unseen LLMs' training outcomes.
inline routing_method clairvoyant_mlp() {
  return described(
      clairvoyant_method("clairvoyant_mlp",
                         [](const trial_data& t) { return uniroute::mlp{{.training = {.seed = t.seed}}}; }),
      "the network, shown the new LLMs' outcomes on the training prompts, which no router has");
}

/// The variants of a family, one for each value.
template <class Make, class... Values>
method_list variants(Make make, Values... values) {
  return {make(static_cast<std::size_t>(values))...};
}

/// K-NN on the validation prompts, k chosen on seen LLMs.
inline routing_method tuned_knn() {
  return described(selected_on_seen("knn", variants(methods::knn, 5, 10, 20, 40, 60, 100, 200)),
                   "mean outcome of the nearest validation prompts");
}
/// `kmeans_hard`, K chosen on seen LLMs.
inline routing_method tuned_hard() {
  return described(selected_on_seen("kmeans_hard", variants(kmeans_hard, 5, 10, 25, 50, 100)),
                   "the paper's: mean outcome in the prompt's K-means cell");
}
/// `kmeans_soft`, K chosen on seen LLMs.
inline routing_method tuned_soft() {
  return described(selected_on_seen("kmeans_soft", variants(kmeans_soft, 5, 10, 25, 50, 100)),
                   "K-means cells that blend into each other, their means shrunk to the LLM's");
}
/// `learned_map`, K chosen on seen LLMs.
inline routing_method tuned_learned_map() {
  return described(selected_on_seen("learned_map", variants(methods::learned_map, 10, 25)),
                   "the paper's: memberships in cells learnt from the seen LLMs' outcomes");
}
/// `skill_cells`, K chosen on seen LLMs.
inline routing_method tuned_skill_cells() {
  return described(selected_on_seen("skill_cells", variants(skill_cells, 10, 25)),
                   "cells in the space of what the seen LLMs are predicted to get right");
}
/// `two_level`, K chosen on seen LLMs.
inline routing_method tuned_two_level() {
  return described(selected_on_seen("two_level", variants(two_level, 25, 50, 100)),
                   "cells whose means are shrunk to those of cells of cells");
}
/// ProxRouter with cells or neighbours, chosen on seen LLMs.
inline routing_method tuned_prox_router() {
  return described(selected_on_seen("prox_router", {prox_router(10), prox_router(50), methods::prox_neighbours()}),
                   "a rival: cells weighted by distance with an exponential tilt");
}
/// Avengers, K chosen on seen LLMs.
inline routing_method tuned_avengers() {
  return described(selected_on_seen("avengers", variants(avengers, 25, 50)), "a rival: ranks in the nearest cells");
}

/// What `selected` mixes: every kind of smoother that takes in new LLMs.
inline method_list ingredients() {
  method_list out{kmeans_soft(25), learned_map(25),    two_level(50),   knn(100),        ridge(),
                  skill_ridge(),   gaussian_process(), item_response(), skill_logistic()};
  for (auto& method : bent_processes()) out.push_back(std::move(method));
  return out;
}

/// The library's best: `ingredients` mixed by weights found on seen LLMs treated as new; ZeroRouter where they show no
/// signal.
inline routing_method selected() {
  return described(stacked_on_seen("selected", ingredients(), {.rehearsals = {.repeats = 4}, .prior = 0.1}),
                   "the library's best: a mixture of the others, weighted on seen LLMs treated as new");
}

}  // namespace methods

/// Those that reports compare, each of which also stands by itself in namespace `methods`: what is measured
/// against, the paper's, its rivals, and the library's mixture. `clairvoyant_mlp` needs
/// `protocol_options::clairvoyant`.
inline method_list standard_methods() {
  using namespace methods;
  return {zero_router(),
          best_single(),
          cheapest(),
          tuned_knn(),
          tuned_hard(),
          tuned_soft(),
          tuned_learned_map(),
          tuned_skill_cells(),
          methods::ridge(),
          skill_ridge(),
          methods::gaussian_process(),
          tuned_two_level(),
          tuned_prox_router(),
          tuned_avengers(),
          methods::mlp(),
          methods::matrix_factorisation(),
          clairvoyant_mlp(),
          methods::item_response(),
          selected()};
}

}  // namespace uniroute
