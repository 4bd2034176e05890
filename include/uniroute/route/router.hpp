#pragma once

// The router: an encoder, a predictor and a rule, with a pool that LLMs join and leave.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/cluster_map.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/concepts/cost_estimate.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/concepts/estimator.hpp>
#include <uniroute/concepts/label_design.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/encode/embed.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/predict/cell_predictor.hpp>
#include <uniroute/route/choice.hpp>
#include <uniroute/route/detail/choose.hpp>
#include <uniroute/route/detail/router_pool.hpp>
#include <uniroute/route/mean_cost.hpp>
#include <uniroute/route/sample_record.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Composes policies. `router{encoder, predictor, rule}`, or `router{encoder, clustering, map, estimator, rule}`, which
/// makes a cell_predictor of the middle three; a fourth (sixth) argument is the cost policy.
///
/// The order of calls: `fit` on prompts of any kind; `enroll` LLMs by their outcomes on the validation prompts;
/// `route`. Nothing is refitted when an LLM joins, leaves or changes its price. The choice for a prompt does not depend
/// on the order of enrolment or on the batch it comes in: equal objectives go to the lower cost, then to the first name
/// in the alphabet, and predictions of a batch that nearly tie are recomputed in float64. Every throw leaves the router
/// as it was. Const members are thread-safe; `route` of one prompt allocates nothing after the first call on a thread.
template <class Reader, class Predictor, class Rule, class Costs>
class router {
  static_assert(prompt_reader<Reader>,
                "router: Reader (the first argument) must model encoder: fit(prompts), encode(prompts), "
                "encode(prompt, out), dimension(), save, load; or embedding_source: fit(embeddings), "
                "check(embeddings), dimension(), save, load");
  static_assert(predictor<Predictor>,
                "router: Predictor (the second argument) must model predictor: fit(embeddings, losses), "
                "predict(embeddings), predict(embedding, out), size(), dimension(), save, load; an encoder of strings "
                "or a clustering alone is none");
  static_assert(!two_model_rule<Rule>,
                "router: Rule chooses between exactly two models, but the pool of a router is known only at run time: "
                "make a router with any other rule, enroll two models, then fix_pool<2>(router, rule)");
  static_assert(two_model_rule<Rule> || routing_rule<Rule>,
                "router: Rule must model routing_rule: choose(candidates<>) const -> index, save, load");
  static_assert(
      cost_estimate_for<Costs, Predictor>,
      "router: Costs must model cost_estimate_for<Costs, Predictor>: set_validation(predictor, embeddings), "
      "enroll(costs), enroll(cost), retire(index), reprice(index, cost), estimate(predictor, embedding, out), size(), "
      "save, load (cell_cost needs a cell-based predictor)");

 public:
  using reader_type = Reader;
  using predictor_type = Predictor;
  using rule_type = Rule;
  using costs_type = Costs;

  explicit router(Reader reader, Predictor predictor, Rule rule, Costs costs = Costs{})
      : reader_(std::move(reader)),
        predictor_(std::move(predictor)),
        rule_(std::move(rule)),
        costs_(std::move(costs)) {}

  template <class Clustering, class Map, class Estimator>
  explicit router(Reader reader, Clustering clustering, Map map, Estimator estimator, Rule rule, Costs costs = Costs{})
      : router(std::move(reader), Predictor(std::move(clustering), std::move(map), std::move(estimator)),
               std::move(rule), std::move(costs)) {}

  /// Learns from training prompts and the seen LLMs' outcomes on them (the table's models). The pool is empty
  /// afterwards; for a predictor that is not pool_adaptive it is the table's models, at their mean costs.
  /// Throws what the policies throw.
  template <class Loss>
  void fit(const basic_routing_table<Loss>& table) {
    router next(*this);
    if constexpr (encoder<Reader>) {
      next.reader_.fit(table.prompts());
    } else {
      next.reader_.fit(table.embeddings());
    }
    const embedding_matrix x = embed(next.reader_, table);
    next.fit_predictor(x, table.losses());
    if constexpr (!pool_adaptive<Predictor>) {
      next.costs_.set_validation(next.predictor_, x);
      for (std::size_t h = 0; h < table.model_count(); ++h) {
        const std::optional<double> declared = table.declared_cost(h);
        if (declared) {
          next.costs_.enroll(*declared);
        } else {
          next.costs_.enroll(column(table.costs(), h));
        }
      }
      std::vector<pool_member> roll;
      for (std::size_t h = 0; h < table.model_count(); ++h)
        roll.push_back(
            {table.models()[h].name, hash_values(column(table.losses(), h)), hash_values(column(table.costs(), h))});
      next.pool_ = detail::router_pool(std::move(roll), sample_record(table));
    } else {
      next.pool_ = detail::router_pool({}, sample_record(table));
    }
    *this = std::move(next);
  }

  /// Refused with a sentence: a split is more than a router may fit on.
  template <class Split>
  requires requires(const Split& s) {
    s.train;
    s.validation;
  }
  void fit(const Split&) {
    static_assert(detail::accepted<Split>,
                  "router::fit: a split is more than a router may see: fit(split.train), then enroll(split.validation, "
                  "split.unseen)");
  }

  /// Learns from unlabelled prompts.
  void fit(std::span<const std::string> prompts) requires encoder<Reader> && pool_adaptive<Predictor> {
    router next(*this);
    next.reader_.fit(prompts);
    next.fit_predictor(next.reader_.encode(prompts), make_matrix<double>(prompts.size(), 0));
    *this = std::move(next);
  }

  /// Learns from unlabelled embeddings (n x D).
  void fit(const embedding_matrix& x) requires embedding_source<Reader> && pool_adaptive<Predictor> {
    router next(*this);
    next.reader_.fit(x);
    next.fit_predictor(x, make_matrix<double>(rows(x), 0));
    next.pool_ = detail::router_pool({}, sample_record(x));
    *this = std::move(next);
  }

  /// Names the validation prompts; the pool is empty afterwards.
  template <class Loss>
  void set_validation(const basic_routing_table<Loss>& table) requires pool_adaptive<Predictor> {
    set_validation(embed(reader_, table), sample_record(table), {table.ids().begin(), table.ids().end()});
  }
  void set_validation(std::span<const std::string> prompts) requires encoder<Reader> && pool_adaptive<Predictor> {
    set_validation(reader_.encode(prompts));
  }
  void set_validation(const embedding_matrix& x) requires pool_adaptive<Predictor> {
    set_validation(x, sample_record(x), {});
  }
  /// The same for the prompts of `candidates` that a label design chose; what it did is remembered
  /// (`labels_are_random`). LLMs are then enrolled by their losses on those, with the design's weights where the
  /// predictor takes them. Throws std::invalid_argument for another number of candidates.
  template <class Loss>
  void set_validation(const basic_routing_table<Loss>& candidates,
                      const label_sample& chosen) requires pool_adaptive<Predictor> {
    detail::require(chosen.inclusion.size() == candidates.size(), "router::set_validation: inclusion has ",
                    chosen.inclusion.size(), " entries, but must have one for each candidate, ", candidates.size());
    std::vector<std::size_t> all(candidates.model_count());
    std::iota(all.begin(), all.end(), std::size_t{0});
    router next(*this);
    next.set_validation(candidates.select(chosen.prompts, all));
    const auto [least, most] = std::minmax_element(chosen.inclusion.begin(), chosen.inclusion.end());
    next.pool_.labels_by_design = *most - *least > 1e-9;
    *this = std::move(next);
  }

  /// Adds one LLM by its losses on the validation prompts (one each, missing allowed) and its cost.
  /// Throws not_fitted, std::invalid_argument, std::domain_error.
  void enroll(const std::string& model, std::span<const double> losses, double cost) {
    require_adaptive();
    detail::check_cost("router::enroll", "the cost of model '" + model + "'", cost);
    join(model, losses, cost);
  }

  /// The same with the cost of each validation prompt.
  void enroll(const std::string& model, std::span<const double> losses, std::span<const double> costs) {
    require_adaptive();
    detail::require(costs.size() == losses.size(), "router::enroll: costs of model '", model, "' has ", costs.size(),
                    " entries, but must have ", losses.size());
    for (const double cost : costs) detail::check_cost("router::enroll", "a cost of model '" + model + "'", cost);
    join(model, losses, costs);
  }

  /// The same where some prompts were likelier to be asked than others (enroll/): outcome i stands for weights[i]
  /// prompts; `cost` is then best a weighted mean too.
  void enroll(const std::string& model, std::span<const double> losses, std::span<const double> weights, double cost) {
    static_assert(weight_aware<Predictor>,
                  "router::enroll: Predictor cannot weight outcomes: it must model weight_aware (enroll(name, losses, "
                  "weights)); one that regresses on the embedding needs no weights, enroll without them");
    detail::check_cost("router::enroll", "the cost of model '" + model + "'", cost);
    join(model, losses, cost, weights);
  }

  /// Adds LLMs by their columns of a table of the validation prompts: all or none. The cost is the table's declared one
  /// (`declared_cost`) where there is one. The first call names the validation
  /// prompts; later ones must bring the same.
  /// Throws std::invalid_argument for unknown or enrolled models and for other prompts than before.
  template <class Loss>
  void enroll(const basic_routing_table<Loss>& validation, std::span<const std::string> models) {
    require_adaptive();
    router next(*this);
    const embedding_matrix x = embed(reader_, validation);
    if (!next.pool_.has_validation()) {
      next.set_validation(x, sample_record(validation), {validation.ids().begin(), validation.ids().end()});
    } else {
      detail::require(next.pool_.is_validation(x),
                      "router::enroll: the table's prompts are not those of set_validation, but must be");
    }
    for (const auto& model : models) {
      const std::size_t h = validation.model_index(model);
      const std::vector<double> losses = column(validation.losses(), h);
      const std::optional<double> declared = validation.declared_cost(h);
      if (declared) {
        next.enroll(model, losses, *declared);
      } else {
        next.enroll(model, losses, column(validation.costs(), h));
      }
    }
    *this = std::move(next);
  }

  /// The same for names in braces: enroll(validation, {"gpt-4", "mixtral"}).
  template <class Loss>
  void enroll(const basic_routing_table<Loss>& validation, std::initializer_list<std::string> models) {
    enroll(validation, std::span<const std::string>(models.begin(), models.size()));
  }

  /// Takes an LLM out of the pool. Throws std::invalid_argument for an unknown name.
  void retire(const std::string& model) requires pool_adaptive<Predictor> {
    const std::size_t index = pool_.find("router::retire", model);
    Costs costs = costs_;
    costs.retire(index);
    auto members = pool_.without(index);
    predictor_.retire(model);
    costs_ = std::move(costs);
    pool_.adopt(std::move(members));
  }

  /// Gives an LLM another cost. Throws std::invalid_argument, std::domain_error.
  void reprice(const std::string& model, double cost) {
    const std::size_t index = pool_.find("router::reprice", model);
    detail::check_cost("router::reprice", "the cost of model '" + model + "'", cost);
    auto members = pool_.repriced(index, hash_values(std::span<const double>(&cost, 1)));
    costs_.reprice(index, cost);
    pool_.adopt(std::move(members));
  }

  /// Shows a rule that wants it a calibration sample: prompts as in `route`, no outcomes. What the rule learns holds
  /// for the pool as it is: call it again after LLMs joined, left or changed their price (`is_calibrated` says so).
  /// Until then `route` goes on with the λ of the old pool, whose mean cost in the new one is another.
  template <class Prompts>
  void calibrate(const Prompts& prompts) requires calibrated_rule<Rule> {
    require_pool("router::calibrate");
    const embedding_matrix x = read(prompts);
    const loss_matrix losses = predictor_.predict(x);
    const cost_matrix costs = estimate_costs(x);
    Rule next = rule_;
    next.calibrate(pool_.sort_columns(losses), pool_.sort_columns(costs));
    rule_ = std::move(next);
    pool_.calibrated = true;
  }

  /// Whether the rule was calibrated on the pool as it is: false after `fit`, `set_validation`, `enroll`, `retire` and
  /// `reprice` until the next `calibrate`.
  bool is_calibrated() const noexcept requires calibrated_rule<Rule> { return pool_.calibrated; }

  std::size_t size() const noexcept { return pool_.size(); }                      ///< M, models in the pool
  std::span<const std::string> models() const noexcept { return pool_.names(); }  ///< in order of enrolment
  std::size_t dimension() const noexcept { return predictor_.dimension(); }       ///< D; 0 before fit
  const Reader& reader() const noexcept { return reader_; }
  const Predictor& predictor_policy() const noexcept { return predictor_; }
  const Rule& rule() const noexcept { return rule_; }
  const Costs& costs() const noexcept { return costs_; }
  const sample_record& fitted_on() const noexcept {
    return pool_.fitted_on();
  }  ///< what `fit` saw, a table or embeddings
  const sample_record& enrolled_on() const noexcept { return pool_.enrolled_on(); }  ///< the validation prompts

  /// Who is in the pool, by name, with hashes of what each was enrolled with: what promises remember.
  std::vector<pool_member> roll() const { return {pool_.roll().begin(), pool_.roll().end()}; }

  /// Whether the labels that LLMs were enrolled with are a random sample of prompts. False once a label design chose
  /// them with unequal probabilities (`set_validation` with its `label_sample`, or weights that differ): certificates
  /// then refuse them unless they are weighted. Prompts that were picked by hand, without weights, are the caller's
  /// word.
  bool labels_are_random() const noexcept { return !pool_.labels_by_design; }

  /// The ids of the validation prompts, in order, where a table named them: what a newcomer has to be run on, also of a
  /// router that was read from disk.
  std::span<const std::string> validation_ids() const noexcept { return pool_.validation_ids(); }

  /// The same router with another rule.
  template <class Other>
  router<Reader, Predictor, Other, Costs> with_rule(Other rule) const {
    router<Reader, Predictor, Other, Costs> out(reader_, predictor_, std::move(rule), costs_);
    out.pool_ = pool_;
    out.pool_.calibrated = false;
    return out;
  }

  /// Routes one text. Throws not_fitted for an empty pool.
  choice route(std::string_view prompt) const {
    static_assert(encoder<Reader>,
                  "router::route: a text needs an encoder as the router's first argument, but Reader only takes "
                  "embeddings (embedding_source): route an embedding, or use an encoder such as hashed_tfidf");
    require_pool("router::route");
    auto& work = local_workspace();
    work.embedding.resize(reader_.dimension());
    reader_.encode(prompt, std::span<float>(work.embedding));
    return choose_one(embedding_view(work.embedding), {}, work);
  }
  choice route(const char* prompt) const { return route(std::string_view(prompt)); }
  choice route(const std::string& prompt) const { return route(std::string_view(prompt)); }

  /// Routes one embedding (D values); `costs`, if given, has this prompt's cost on each model, known before the answer.
  /// Throws not_fitted, std::invalid_argument for sizes, std::domain_error for values.
  choice route(embedding_view x, std::span<const double> costs = {}) const {
    require_pool("router::route");
    detail::require(x.size() == dimension(), "router::route: the embedding has ", x.size(), " values, but must have ",
                    dimension());
    detail::check_finite("router::route", "embedding", x);
    detail::require(costs.empty() || costs.size() == size(), "router::route: costs has ", costs.size(),
                    " entries, but must have ", size());
    for (const double cost : costs) detail::check_cost("router::route", "a cost", cost);
    return choose_one(x, costs, local_workspace());
  }

  /// Routes a batch of embeddings (n x D) into `out` (n indices into models()); `costs` is n x M, or 0 x 0 for the
  /// cost policy's estimates. Beyond what the predictor's batch takes, allocates nothing once the workspace has grown.
  /// Throws not_fitted, std::invalid_argument, std::domain_error.
  void route(const embedding_matrix& x, std::span<std::uint32_t> out, routing_workspace& work,
             const cost_matrix& costs = make_matrix<double>(0, 0)) const {
    require_pool("router::route");
    detail::require(out.size() == rows(x), "router::route: out has ", out.size(), " entries, but must have ", rows(x));
    const bool given = costs.size() != 0;
    detail::require(!given || (rows(costs) == rows(x) && columns(costs) == size()), "router::route: costs is ",
                    rows(costs), " x ", columns(costs), ", but must be ", rows(x), " x ", size());
    for (const double cost : costs) detail::check_cost("router::route", "a cost", cost);
    const loss_matrix losses = predictor_.predict(x);
    prepare(work);
    for (std::size_t i = 0; i < rows(x); ++i) {
      const auto loss = row(losses, i);
      std::copy(loss.begin(), loss.end(), work.losses.begin());
      set_costs(row(x, i), given ? row(costs, i) : std::span<const double>{}, work);
      out[i] = static_cast<std::uint32_t>(detail::choice_in_batch(predictor_, rule_, pool_, row(x, i), work));
    }
  }

  /// Routes a batch of embeddings. Returns n indices into models().
  std::vector<std::uint32_t> route(const embedding_matrix& x,
                                   const cost_matrix& costs = make_matrix<double>(0, 0)) const {
    std::vector<std::uint32_t> out(rows(x));
    route(x, out, local_workspace(), costs);
    return out;
  }

  /// Routes a batch of texts. Returns n indices into models().
  std::vector<std::uint32_t> route(std::span<const std::string> prompts) const {
    static_assert(encoder<Reader>,
                  "router::route: texts need an encoder as the router's first argument, but Reader only takes "
                  "embeddings (embedding_source)");
    return route(reader_.encode(prompts));
  }

  /// γ̂ of a batch (texts, embeddings or a table): n x M, columns as in models(). Throws as `route`.
  template <class Prompts>
  loss_matrix predict(const Prompts& prompts) const {
    require_pool("router::predict");
    return predictor_.predict(read(prompts));
  }

  /// ĉ of a batch of embeddings: n x M, columns as in models().
  cost_matrix estimate_costs(const embedding_matrix& x) const {
    require_pool("router::estimate_costs");
    auto out = make_matrix<double>(rows(x), size());
    for (std::size_t i = 0; i < rows(x); ++i) costs_.estimate(predictor_, row(x, i), row(out, i));
    return out;
  }

  /// Everything fitted and the pool. `write_router` (route/save.hpp) puts it on disk.
  state save() const { return detail::save_members(*this); }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      next.pool_.restore_order();
      detail::require_state(next.pool_.size() == next.predictor_.size() && next.pool_.size() == next.costs_.size(),
                            "models must be those of the predictor and of the costs");
      if constexpr (requires { next.predictor_.models(); }) {
        const auto theirs = next.predictor_.models();
        detail::require_state(std::equal(theirs.begin(), theirs.end(), next.models().begin(), next.models().end()),
                              "models must be those of the predictor, by name and in its order");
      }
      detail::require_state(next.reader_.dimension() == next.predictor_.dimension(),
                            "the reader's dimension must be the predictor's");
      if constexpr (cell_based<Predictor> && requires { next.costs_.cells(); })
        detail::require_state(next.pool_.size() == 0 || next.costs_.cells() == next.predictor_.map().size(),
                              "the costs' cells must be the predictor's");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("reader", of.reader_);
    visit("predictor", of.predictor_);
    visit("rule", of.rule_);
    visit("costs", of.costs_);
    detail::router_pool::members(of.pool_, visit);
  }

 private:
  template <class, class, class, class>
  friend class router;

  static constexpr void require_adaptive() {
    static_assert(pool_adaptive<Predictor>,
                  "router::enroll: Predictor cannot take in an LLM it was not fitted on: it must model pool_adaptive "
                  "(set_validation(embeddings), enroll(name, losses), retire(name), models())");
  }

  static routing_workspace& local_workspace() {
    thread_local routing_workspace work;
    return work;
  }

  void fit_predictor(const embedding_matrix& x, const loss_matrix& losses) {
    predictor_.fit(x, losses);
    pool_ = {};
    if constexpr (pool_adaptive<Predictor>) costs_.set_validation(predictor_, make_matrix<float>(0, columns(x)));
  }

  void set_validation(const embedding_matrix& x, sample_record record, std::vector<std::string> ids) {
    detail::router_pool pool = pool_.with_validation(x, std::move(record), std::move(ids));
    Predictor next = predictor_;
    next.set_validation(x);
    Costs costs = costs_;
    costs.set_validation(next, x);
    predictor_ = std::move(next);
    costs_ = std::move(costs);
    pool_ = std::move(pool);
  }

  /// Everything that may throw comes first; the predictor's own enroll, which changes nothing if it throws, comes last.
  template <class Cost, class... Weights>
  void join(const std::string& model, std::span<const double> losses, const Cost& cost, const Weights&... weights) {
    Costs costs = costs_;
    costs.enroll(cost);
    std::uint64_t outcomes = hash_values(losses);
    ((outcomes = derive_seed(outcomes, hash_values(weights))), ...);
    std::uint64_t price = 0;
    if constexpr (std::same_as<Cost, double>) {
      price = hash_values(std::span<const double>(&cost, 1));
    } else {
      price = hash_values(cost);
    }
    auto members = pool_.with({model, outcomes, price});
    const bool by_design = pool_.labels_by_design || (false || ... || varies(weights, losses));
    predictor_.enroll(model, losses, weights...);
    costs_ = std::move(costs);
    pool_.adopt(std::move(members));
    pool_.labels_by_design = by_design;
  }

  static std::uint64_t hash_values(std::span<const double> values) noexcept {
    return hash_bytes(values.data(), values.size_bytes());
  }
  /// Whether observed outcomes have different weights.
  static bool varies(std::span<const double> weights, std::span<const double> losses) noexcept {
    double first = 0;
    for (std::size_t i = 0; i < weights.size() && i < losses.size(); ++i) {
      if (is_missing(losses[i])) continue;
      if (first == 0) first = weights[i];
      if (std::fabs(weights[i] - first) > 1e-9 * first) return true;
    }
    return false;
  }

  void require_pool(std::string_view function) const {
    detail::require<not_fitted>(dimension() != 0, function, ": fit must come first");
    detail::require<not_fitted>(pool_.size() != 0, function,
                                ": the pool is empty, but must have at least one model (enroll)");
    if constexpr (requires { rule_.check_pool(pool_.roll()); }) rule_.check_pool(pool_.roll());
  }

  const embedding_matrix& read(const embedding_matrix& x) const { return x; }
  embedding_matrix read(std::span<const std::string> prompts) const requires encoder<Reader> {
    return reader_.encode(prompts);
  }
  template <class Loss>
  embedding_matrix read(const basic_routing_table<Loss>& table) const {
    return embed(reader_, table);
  }

  void prepare(routing_workspace& work) const {
    for (auto* values : {&work.losses, &work.costs, &work.sorted_losses, &work.sorted_costs}) values->resize(size());
  }

  void set_costs(embedding_view x, std::span<const double> given, routing_workspace& work) const {
    if (given.empty()) {
      costs_.estimate(predictor_, x, std::span<double>(work.costs));
    } else {
      std::copy(given.begin(), given.end(), work.costs.begin());
    }
  }

  choice choose_one(embedding_view x, std::span<const double> costs, routing_workspace& work) const {
    prepare(work);
    set_costs(x, costs, work);
    const std::size_t index = detail::choice_of_one(predictor_, rule_, pool_, x, work);
    return {index, pool_.names()[index], work.losses[index], work.costs[index]};
  }

  [[no_unique_address]] Reader reader_;
  Predictor predictor_;
  [[no_unique_address]] Rule rule_;
  Costs costs_;
  detail::router_pool pool_;
};

template <class Reader, class Predictor, class Rule>
router(Reader, Predictor, Rule) -> router<Reader, Predictor, Rule, mean_cost>;

template <class Reader, class Predictor, class Rule, class Costs>
router(Reader, Predictor, Rule, Costs) -> router<Reader, Predictor, Rule, Costs>;

template <class Reader, class Clustering, class Map, class Estimator, class Rule>
router(Reader, Clustering, Map, Estimator, Rule)
    -> router<Reader, cell_predictor<Clustering, Map, Estimator>, Rule, mean_cost>;

template <class Reader, class Clustering, class Map, class Estimator, class Rule, class Costs>
router(Reader, Clustering, Map, Estimator, Rule, Costs)
    -> router<Reader, cell_predictor<Clustering, Map, Estimator>, Rule, Costs>;

}  // namespace uniroute
