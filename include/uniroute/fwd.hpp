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

struct plus_plus_seeding;
struct random_seeding;
template <class Seeding = plus_plus_seeding>
class kmeans;
class single_cluster;
class given_labels;

class nearest_map;
class proximity_map;

class cell_mean;
template <class Base = cell_mean>
class shrunken;
template <class Base = cell_mean>
class lower_confidence;
/// The usual choice: the cell mean, shrunken.
using shrunken_mean = shrunken<cell_mean>;

template <class Clustering = kmeans<>, class Map = nearest_map, class Estimator = shrunken_mean>
class cell_predictor;
class knn;

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
