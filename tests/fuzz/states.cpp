// States that no `save` ever gave, as a hostile directory may hold them: `load` throws format_error, and then nothing
// has changed, or takes a state that can be used. An input names a policy, then edits of its state: values taken out,
// of another type, of another shape, out of range. (The files themselves are readers.cpp's business.)

#include <algorithm>
#include <cmath>
#include <cstring>
#include <encode/tiny_model.hpp>
#include <functional>
#include <fuzz/fuzz.hpp>
#include <limits>
#include <uniroute/encode/concatenated.hpp>
#include <uniroute/encode/lsa.hpp>
#include <uniroute/encode/projected.hpp>
#include <uniroute/encode/read_transformer.hpp>
#include <uniroute/encode/static_encoder.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/predict/kernels.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace uniroute_fuzz {

namespace {

constexpr std::size_t width = 4, validation_size = 24;

const ur::routing_table& table() {
  static const auto out = ur::simulated_world{{.dimension = width}}.sample(80, 5).table;
  return out;
}

ur::embedding_matrix prompts(std::size_t first, std::size_t count) {
  std::vector<std::size_t> at(count);
  for (std::size_t i = 0; i < count; ++i) at[i] = first + i;
  return ur::take_rows(table().embeddings(), std::span<const std::size_t>(at));
}

std::vector<double> outcomes(std::size_t model) {
  std::vector<double> out;
  for (std::size_t i = 0; i < validation_size; ++i) out.push_back(table().losses()(50 + i, model));
  return out;
}

const std::vector<std::string>& texts() {
  static const std::vector<std::string> out{"prove a theorem about numbers", "a proof about sets",
                                            "write a poem on rain",          "the cat sat, un poem",
                                            "write a poem on snow",          "123 sets and a cat"};
  return out;
}

double odd_number(unsigned char which) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const double list[] = {0, -0.0, 1, -1, 0.5, 2, 1e300, -1e300, 1e-300, 5e-324, inf, -inf, std::nan(""), ur::missing};
  return list[which % std::size(list)];
}

std::uint64_t odd_count(unsigned char which) {
  const std::uint64_t list[] = {0, 1, 2, 3, 4, 5, 24, 25, 1ULL << 24, 1ULL << 31, 1ULL << 32, 1ULL << 62, ~0ULL};
  return list[which % std::size(list)];
}

template <class T>
ur::matrix<T> reshaped(const ur::matrix<T>& m, std::size_t n, std::size_t k) {
  auto out = ur::make_matrix<T>(n, k, T{0});
  std::copy_n(m.data(), std::min(m.size(), out.size()), out.data());
  return out;
}

/// The size after a change: one more or less, none, or small.
std::size_t odd_size(std::size_t size, unsigned char which) {
  return which % 8 == 0 ? size + 1 : which % 8 == 1 ? size - std::min<std::size_t>(size, 1) : which % 8 - 2U;
}

/// One value changed, in its type.
ur::state::value edited(const ur::state::value& v, unsigned char a, unsigned char b) {
  const auto matrix = [&]<class T>(const ur::matrix<T>& from) -> ur::state::value {
    auto m = from;
    if (a % 3 == 0) return reshaped(m, odd_size(ur::rows(m), b), ur::columns(m));
    if (a % 3 == 1) return reshaped(m, ur::rows(m), odd_size(ur::columns(m), b));
    if (m.size() != 0) m.data()[a / 3 % m.size()] = static_cast<T>(odd_number(b));
    return m;
  };
  if (const auto* flag = v.get_if<bool>()) return !*flag;
  if (v.get_if<std::uint64_t>() != nullptr) return odd_count(a);
  if (v.get_if<double>() != nullptr) return std::isfinite(odd_number(a)) ? odd_number(a) : 0;  // JSON has no others
  if (v.get_if<std::string>() != nullptr) return std::string(a % 2 == 0 ? "" : "odd");
  if (const auto* held = v.get_if<std::vector<std::string>>()) {
    auto list = *held;
    if (a % 3 == 0) list.resize(odd_size(list.size(), b));
    if (a % 3 == 1 && !list.empty()) list[b % list.size()].clear();
    if (a % 3 == 2 && !list.empty()) list[b % list.size()] = list[0];
    return list;
  }
  if (const auto* held = v.get_if<std::vector<double>>()) {
    auto list = *held;
    if (a % 2 == 0) list.resize(odd_size(list.size(), b));
    if (a % 2 == 1 && !list.empty()) list[a / 2 % list.size()] = odd_number(b);
    return list;
  }
  if (const auto* held = v.get_if<std::vector<std::uint32_t>>()) {
    auto list = *held;
    if (a % 2 == 0) list.resize(odd_size(list.size(), b));
    if (a % 2 == 1 && !list.empty()) list[a / 2 % list.size()] = static_cast<std::uint32_t>(odd_count(b));
    return list;
  }
  if (const auto* held = v.get_if<ur::matrix<float>>()) return matrix(*held);
  return matrix(*v.get_if<ur::matrix<double>>());
}

/// Four bytes an edit: what is done, to which value, and two numbers for how.
ur::state edited(const ur::state& good, const std::string& bytes) {
  auto values = good.values();
  for (std::size_t i = 0; i + 4 <= bytes.size() && i < 32 && !values.empty(); i += 4) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(bytes[i + k]); };
    const auto at = std::next(values.begin(), byte(1) % static_cast<int>(values.size()));
    if (byte(0) % 8 == 0)
      values.erase(at);
    else if (byte(0) % 8 == 1)
      values.insert_or_assign(at->first, std::next(values.begin(), byte(2) % static_cast<int>(values.size()))->second);
    else
      values.insert_or_assign(at->first, edited(at->second, byte(2), byte(3)));
  }
  ur::state out;
  for (const auto& [name, v] : values) out.set(name, v);
  return out;
}

bool same(const ur::state& a, const ur::state& b) {
  const auto equal = []<class T>(const T* x, const T* y) {
    if (x == nullptr || y == nullptr) return x == y;
    if constexpr (requires { x->shape(); })
      return x->shape() == y->shape() &&
             (x->size() == 0 || std::memcmp(x->data(), y->data(), x->size() * sizeof(*x->data())) == 0);
    else
      return *x == *y;
  };
  return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end(),
                    [&](const auto& x, const auto& y) {
                      const auto both = [&]<class... T>(const T*...) {
                        return (equal(x.second.template get_if<T>(), y.second.template get_if<T>()) && ...);
                      };
                      using texts = std::vector<std::string>;
                      using numbers = std::vector<double>;
                      using counts = std::vector<std::uint32_t>;
                      const bool* flag = nullptr;
                      const std::uint64_t* count = nullptr;
                      const double* number = nullptr;
                      const std::string* text = nullptr;
                      const texts* t = nullptr;
                      const numbers* n = nullptr;
                      const counts* c = nullptr;
                      const ur::matrix<float>* f = nullptr;
                      const ur::matrix<double>* d = nullptr;
                      return x.first == y.first && both(flag, count, number, text, t, n, c, f, d);
                    });
}

using attempt = std::function<void(const std::string& edits)>;

/// Loads the edited state of `fitted` and, where that is accepted, uses it: errors of order, shape and value may follow
/// (the caller's prompts need not fit what was loaded), but not those of memory.
template <class Policy, class Use>
attempt attempt_on(Policy fitted, Use use) {
  const ur::state good = fitted.save();
  return [fitted = std::move(fitted), good, use](const std::string& edits) {
    Policy policy = fitted;
    try {
      policy.load(edited(good, edits));
    } catch (const ur::format_error&) {
      if (!same(policy.save(), good)) throw std::runtime_error("a load that was refused has changed something");
      throw;
    }
    try {
      policy.save();
      use(policy);
    } catch (const std::length_error&) {
      throw std::runtime_error("a container of absurd length");
    } catch (const std::out_of_range&) {
      throw std::runtime_error("an index out of range");
    } catch (const std::logic_error&) {
    }
  };
}

template <class Predictor>
attempt on_predictor(Predictor p) {
  auto losses = ur::make_matrix<double>(50, 4);
  for (std::size_t i = 0; i < 50; ++i)
    for (std::size_t h = 0; h < 4; ++h) losses(i, h) = table().losses()(i, h);
  p.fit(prompts(0, 50), losses);
  if constexpr (ur::pool_adaptive<Predictor>) {
    p.set_validation(prompts(50, validation_size));
    p.enroll("a", outcomes(5));
    p.enroll("b", outcomes(6));
  }
  return attempt_on(std::move(p), [asked = prompts(74, 5)](Predictor& q) {
    const auto predict = [&] {
      q.predict(asked);
      std::vector<double> out(q.size());
      q.predict(ur::row(asked, 0), out);  // checks nothing itself
    };
    try {
      predict();
    } catch (const ur::not_fitted&) {
    }
    if constexpr (ur::pool_adaptive<Predictor>) {
      q.enroll("c", outcomes(7));
      predict();
      q.retire(std::string(q.models()[0]));
      predict();
    }
  });
}

template <class Encoder>
attempt on_encoder(Encoder e) {
  return attempt_on(std::move(e), [](const Encoder& f) {
    const auto all = f.encode(texts());
    std::vector<float> out(f.dimension());
    f.encode(texts()[3], out);
  });
}

template <class Design>
attempt on_design(Design d) {
  auto losses = ur::make_matrix<double>(50, 4);
  for (std::size_t i = 0; i < 50; ++i)
    for (std::size_t h = 0; h < 4; ++h) losses(i, h) = table().losses()(i, h);
  d.fit(prompts(0, 50), losses);
  return attempt_on(std::move(d), [](const Design& e) { e.choose(prompts(50, 20), 6, 1); });
}

template <class Rule, class Costs>
attempt on_router(Rule rule, Costs costs) {
  ur::router r{ur::hashed_tfidf{{.dimension = 16, .buckets = 64}},
               ur::cell_predictor{ur::kmeans{{.clusters = 2}}, ur::nearest_map{}, ur::cell_mean{}}, rule, costs};
  r.fit(texts());
  r.set_validation(texts());
  r.enroll("a", std::vector<double>{0, 0, 0, 1, 1, 1}, 1.0);
  r.enroll("b", std::vector<double>{1, 0, 1, 0, 1, 0}, std::vector<double>{1, 2, 3, 1, 2, 3});
  if constexpr (requires { r.calibrate(std::span<const std::string>(texts())); })
    r.calibrate(std::span<const std::string>(texts()));
  return attempt_on(std::move(r), [](auto& q) {
    q.route(texts()[0]);
    q.route(std::span<const std::string>(texts()));
    q.enroll("c", std::vector<double>{0, 1, 0, 1, 1, 1}, 2.0);
    q.enroll("d", std::vector<double>{0, 1, 0, 0, 1, 1}, std::vector<double>{1, 2, 3, 1, 2, 3});
    q.route(texts()[1]);
  });
}

#ifdef UNIROUTE_LIBFUZZER
ur::transformer_encoder tiny_transformer() {
  const uniroute_tests::temporary_directory dir;
  uniroute_tests::write_tiny_model(dir.path());
  return ur::read_transformer(dir.path());
}
#endif

template <class Encoder>
Encoder fitted(Encoder e) {
  e.fit(texts());
  return e;
}

// What every unit test compiles is short; libFuzzer's program has all policies.

std::vector<attempt> predictors() {
  std::vector<attempt> out;
  out.push_back(
      on_predictor(ur::cell_predictor{ur::kmeans{{.clusters = 3}}, ur::proximity_map{}, ur::two_level_mean{}}));
  out.push_back(on_predictor(ur::cell_predictor{ur::kmeans{{.clusters = 3}}, ur::nearest_map{}, ur::shrunken_mean{}}));
  out.push_back(on_predictor(ur::knn{{.neighbours = 5}}));
  out.push_back(on_predictor(ur::mlp{}));
#ifdef UNIROUTE_LIBFUZZER
  out.push_back(on_predictor(ur::cell_predictor{ur::kmeans{{.clusters = 3}}, ur::learned_map{}, ur::cell_mean{}}));
  out.push_back(on_predictor(ur::cell_predictor{ur::single_cluster{}, ur::nearest_map{}, ur::lower_confidence<>{}}));
  out.push_back(on_predictor(ur::prox_neighbours{{.neighbours = 5}}));
  out.push_back(on_predictor(ur::prox_cells<>{ur::kmeans{{.clusters = 3}}}));
  out.push_back(on_predictor(ur::avengers{ur::kmeans{{.clusters = 5}}}));
  out.push_back(on_predictor(ur::ridge{}));
  out.push_back(on_predictor(ur::gaussian_process{ur::rbf_kernel{}}));
  out.push_back(on_predictor(ur::gaussian_process{
      ur::kernel_sum{ur::linear_kernel{}, ur::transformed_kernel{ur::skills{}, ur::rbf_kernel{}}}}));
  out.push_back(on_predictor(ur::logistic_regression{}));
  out.push_back(on_predictor(ur::item_response{}));
  out.push_back(on_predictor(ur::transformed{ur::concatenation{ur::raw_embedding{}, ur::projection{{.dimension = 2}}},
                                             ur::knn{{.neighbours = 5}}}));
  out.push_back(on_predictor(ur::stacked{ur::knn{{.neighbours = 5}}, ur::ridge{}}));
  out.push_back(on_predictor(ur::matrix_factorisation{}));
#endif
  return out;
}

std::vector<attempt> encoders() {
  std::vector<attempt> out;
  out.push_back(on_encoder(fitted(ur::hashed_tfidf{{.dimension = 16, .buckets = 64}})));
  out.push_back(on_encoder(fitted(ur::lsa{{.dimension = 3, .buckets = 64}})));
#ifdef UNIROUTE_LIBFUZZER
  out.push_back(on_encoder(tiny_transformer()));
  out.push_back(on_encoder(ur::distill(tiny_transformer(), {.dimension = 4})));
  out.push_back(
      on_encoder(fitted(ur::projected{ur::hashed_tfidf{{.dimension = 16, .buckets = 64}}, {.dimension = 2}})));
  out.push_back(
      on_encoder(fitted(ur::concatenated{ur::hashed_tfidf{{.dimension = 8, .buckets = 64}}, tiny_transformer()})));
#endif
  return out;
}

std::vector<attempt> designs() {
  std::vector<attempt> out;
  out.push_back(on_design(ur::disagreement_design{{.neighbours = 5}}));
#ifdef UNIROUTE_LIBFUZZER
  out.push_back(on_design(ur::random_design{}));
  out.push_back(on_design(ur::spread_design{}));
  out.push_back(on_design(ur::leverage_design<>{}));
  out.push_back(
      on_design(ur::stratified_design<>{{.allocation = ur::label_allocation::neyman}, ur::kmeans{{.clusters = 4}}}));
#endif
  return out;
}

std::vector<attempt> routers() {
  std::vector<attempt> out;
  out.push_back(on_router(ur::best_quality_rule{}, ur::cell_cost{}));
#ifdef UNIROUTE_LIBFUZZER
  out.push_back(on_router(ur::lagrangian_rule{{.lambda = 0.1}}, ur::mean_cost{}));
  out.push_back(on_router(ur::budget_rule{{.budget = 1.5}}, ur::mean_cost{}));
  out.push_back(on_router(ur::guarded_rule{{.lambda = 0.1, .safe = 0, .pool = {}}}, ur::mean_cost{}));
#endif
  return out;
}

/// The first byte names the policy.
template <std::vector<attempt> (*make)()>
void load_one(const std::string& bytes) {
  static const std::vector<attempt> all = make();
  const std::size_t which = bytes.empty() ? all.size() : static_cast<unsigned char>(bytes[0]);
  if (which < all.size()) all[which](bytes.substr(1));
}

/// Every policy, without an edit.
template <std::vector<attempt> (*make)()>
std::vector<std::string> one_each() {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < make().size(); ++i) out.emplace_back(1, static_cast<char>(i));
  return out;
}

const std::vector<target>& policies() {
  static const std::vector<target> out{{"predictors", load_one<predictors>, one_each<predictors>},
                                       {"encoders", load_one<encoders>, one_each<encoders>},
                                       {"designs", load_one<designs>, one_each<designs>},
                                       {"routers", load_one<routers>, one_each<routers>}};
  return out;
}

}  // namespace

#ifdef UNIROUTE_LIBFUZZER

const std::vector<target>& targets() { return policies(); }

#else

TEST_CASE("a policy loads what it saved, and refuses a hostile state by format_error or takes one it can use") {
  ur::random_engine engine(3);
  for (const auto& t : policies()) {
    for (const auto& seed : t.seeds()) {
      INFO(t.name << " " << static_cast<int>(seed[0]));
      CHECK(feed(t, seed));
      std::size_t refused = 0;
      for (std::size_t i = 0; i < 100; ++i) {
        std::string input = seed;
        const std::size_t bytes = 4 * (1 + engine.below(3));
        for (std::size_t k = 0; k < bytes; ++k) input.push_back(static_cast<char>(engine.below(256)));
        bool accepted = false;
        REQUIRE_NOTHROW(accepted = feed(t, input));
        refused += accepted ? 0 : 1;
      }
      CHECK(refused != 0);
    }
    check_found(t);
  }
}

#endif

}  // namespace uniroute_fuzz
