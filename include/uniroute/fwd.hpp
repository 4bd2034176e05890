#pragma once

// Names without their headers, and every default template argument in one place.

namespace uniroute {

class state;

struct bounded_loss;
struct binary_loss;
template <class Loss>
class basic_routing_table;
template <class Loss>
class held_out;

class hashed_tfidf;
class precomputed_embeddings;
class lsa;
class wordpiece_tokenizer;
class transformer_encoder;
class static_encoder;
template <class First, class Second>
class concatenated;
template <class Encoder>
class projected;

struct plus_plus_seeding;
struct random_seeding;
template <class Seeding = plus_plus_seeding>
class kmeans;
class single_cluster;
class given_labels;
template <class Clustering = kmeans<>>
class prefitted;

class nearest_map;
class proximity_map;
class learned_map;

class raw_embedding;
class projection;
class skills;
class item_traits;
template <class First, class Second>
class concatenation;

class cell_mean;
template <class Base = cell_mean>
class shrunken;
template <class Base = cell_mean>
class lower_confidence;
/// The usual choice: the cell mean, shrunken.
using shrunken_mean = shrunken<cell_mean>;
class two_level_mean;

template <class Clustering = kmeans<>, class Map = nearest_map, class Estimator = shrunken_mean>
class cell_predictor;
template <class... Predictors>
class stacked;
template <class Transform, class Predictor>
class transformed;

class logistic_regression;

class linear_kernel;
class rbf_kernel;
template <class Transform, class Kernel>
class transformed_kernel;
template <class First, class Second>
class kernel_sum;
template <class Kernel = linear_kernel>
class gaussian_process;
class exponential_tilt;
template <class Clustering = kmeans<>, class Blend = exponential_tilt>
class blended_cells;
struct equal_weights;
template <class Weighting = equal_weights>
class basic_knn;
/// Neighbours that count alike.
using knn = basic_knn<>;
template <class Form>
class two_layer_predictor;

class random_design;
class spread_design;
class disagreement_design;
template <class Clustering = kmeans<>>
class stratified_design;
template <class Transform = skills>
class leverage_design;

class lagrangian_rule;
class best_quality_rule;
class budget_rule;
class threshold_rule;
class guarded_rule;
class mean_cost;
class cell_cost;
template <class Reader, class Predictor, class Rule, class Costs = mean_cost>
class router;

class sample_record;

struct finite_sample;
struct asymptotic;
struct hoeffding;
struct exact_binomial;
struct wilson;
struct empirical_bernstein;
struct betting;
template <class Interval>
struct bonferroni;
class multiplier_bootstrap;
struct certificate;

}  // namespace uniroute
