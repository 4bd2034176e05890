// How a trial is drawn, beside plain loops from the words of `protocol_options`: sides, pools, hidden outcomes, shifts.
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <uniroute/experiment/draw_trial.hpp>

namespace ur = uniroute;

namespace {

using numbers = std::vector<std::size_t>;

/// Outcomes and costs that name their prompt and LLM, a fifth of the outcomes missing, and categories of the sizes.
ur::routing_table table_of(const std::vector<std::pair<std::string, std::size_t>>& sizes, std::size_t m,
                           std::uint64_t seed, double missing_share = .2) {
  ur::routing_table_parts parts;
  parts.name = "drawn";
  ur::random_engine draws(seed);
  std::vector<std::string> categories;
  for (const auto& [name, size] : sizes) categories.insert(categories.end(), size, name);
  ur::shuffle(categories, draws);
  const std::size_t n = categories.size();
  parts.losses = ur::make_matrix<double>(n, m);
  parts.costs = ur::make_matrix<double>(n, m);
  parts.embeddings = ur::make_matrix<float>(n, 1);
  for (std::size_t h = 0; h < m; ++h) parts.models.push_back({.name = "llm" + std::to_string(h)});
  for (std::size_t i = 0; i < n; ++i) {
    parts.ids.push_back(std::to_string(i));
    parts.embeddings(i, 0) = static_cast<float>(i);
    for (std::size_t h = 0; h < m; ++h) {
      parts.losses(i, h) = draws.uniform() < missing_share ? ur::missing : draws.uniform();
      parts.costs(i, h) = 1 + draws.uniform();
    }
  }
  // One LLM that was never asked anything.
  if (m > 6) {
    for (std::size_t i = 0; i < n; ++i) parts.losses(i, m - 1) = ur::missing;
  }
  parts.categories = std::move(categories);
  return ur::routing_table(std::move(parts));
}

/// Embeddings that say which rows the encoder was fitted on: the row's number, their count, their sum.
ur::embedding_matrix embed(const ur::routing_table& table, std::span<const std::size_t> rows) {
  auto out = ur::make_matrix<float>(table.size(), 3);
  float sum = 0;
  for (const std::size_t i : rows) sum += static_cast<float>(i);
  for (std::size_t i = 0; i < table.size(); ++i) {
    out(i, 0) = static_cast<float>(i);
    out(i, 1) = static_cast<float>(rows.size());
    out(i, 2) = sum;
  }
  return out;
}

struct sides {
  numbers train, validation, test, seen, unseen;
};

/// Which rows and LLMs the trial has, from the documentation of the options.
sides expected_sides(const ur::routing_table& table, const ur::protocol_options& options, std::size_t index) {
  const std::size_t n = table.size(), m = table.model_count();
  const std::uint64_t seed = ur::derive_seed(options.seed, index);
  const auto half = static_cast<std::size_t>((1 - options.test) * static_cast<double>(n) / 2);
  std::size_t wanted = options.validation_prompts < half ? options.validation_prompts : half;
  if (wanted == 0) wanted = 1;
  const double share = (1 - options.test) * .5;
  const auto split = ur::split_rows(table, {.train = share,
                                            .validation = share,
                                            .seen_models = options.seen_models,
                                            .seed = seed,
                                            .validation_prompts = wanted});
  sides out{split.train, split.validation, split.test, split.seen, split.unseen};
  if (options.static_pool) {
    out.seen.clear();
    for (std::size_t h = 0; h < m; ++h) out.seen.push_back(h);
    out.unseen = out.seen;
  }
  if (options.shift) {
    std::map<std::string, std::size_t> sizes;
    for (std::size_t i = 0; i < n; ++i) ++sizes[table.categories()[i]];
    std::vector<std::string> targets;
    for (const auto& [name, size] : sizes) {
      if (size >= 200 && size < n) targets.push_back(name);
    }
    ur::random_engine draws(ur::derive_seed(seed, 3));
    const std::string target = targets[draws.below(targets.size())];
    numbers inside, outside, test;
    for (const auto& side : {split.train, split.validation}) {
      for (const std::size_t i : side) (table.categories()[i] == target ? inside : outside).push_back(i);
    }
    for (const std::size_t i : split.test) {
      if (table.categories()[i] == target) test.push_back(i);
    }
    ur::shuffle(inside, draws);
    if (inside.size() > wanted) inside.resize(wanted);
    out.train = outside;
    out.validation = inside;
    out.test = test;
    std::sort(out.train.begin(), out.train.end());
    std::sort(out.validation.begin(), out.validation.end());
  }
  numbers known;
  for (const std::size_t h : out.unseen) {
    bool validated = false, tested = false;
    for (const std::size_t i : out.validation) validated = validated || !ur::is_missing(table.losses()(i, h));
    for (const std::size_t i : out.test) tested = tested || !ur::is_missing(table.losses()(i, h));
    if (validated && tested) known.push_back(h);
  }
  out.unseen = known;
  return out;
}

void same(const ur::matrix<double>& part, const ur::matrix<double>& whole, const numbers& rows,
          const numbers& columns) {
  REQUIRE(ur::rows(part) == rows.size());
  REQUIRE(ur::columns(part) == columns.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t h = 0; h < columns.size(); ++h) {
      const double a = part(i, h), b = whole(rows[i], columns[h]);
      if (!(a == b || (ur::is_missing(a) && ur::is_missing(b)))) FAIL("(" << i << ", " << h << "): " << a << " " << b);
    }
  }
}

void same_rows(const ur::embedding_matrix& part, const ur::embedding_matrix& whole, const numbers& rows) {
  REQUIRE(ur::rows(part) == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < ur::columns(whole); ++j) REQUIRE(part(i, j) == whole(rows[i], j));
  }
}

/// Outcomes of each LLM in a row, some hidden: `draws` hides each with the probability, but never the last one left.
void hide(ur::matrix<double>& losses, double share, ur::random_engine& draws) {
  for (std::size_t h = 0; h < ur::columns(losses); ++h) {
    numbers observed;
    for (std::size_t i = 0; i < ur::rows(losses); ++i) {
      if (!ur::is_missing(losses(i, h))) observed.push_back(i);
    }
    std::size_t left = observed.size();
    for (const std::size_t i : observed) {
      const bool drawn = draws.uniform() < share;
      if (drawn && left > 1) {
        losses(i, h) = ur::missing;
        --left;
      }
    }
  }
}

}  // namespace

TEST_CASE("a trial has the rows, LLMs and outcomes that its options say") {
  const auto plain = table_of({{"a", 30}, {"b", 13}}, 9, 1);
  const auto shifted = table_of({{"large", 230}, {"small", 150}, {"enough", 200}}, 5, 2, .6);
  const auto run = [](const ur::routing_table& table, const ur::protocol_options& options) {
    for (std::size_t index = 0; index < 4; ++index) {
      const auto graded = ur::detail::make_trial(
          table, ur::matrix<double>(table.costs()), [&](auto rows) { return embed(table, rows); }, options, index);
      const auto expected = expected_sides(table, options, index);
      const auto& t = graded.seen;
      CAPTURE(index, options.shift, options.hidden, options.static_pool, options.test, options.validation_prompts);
      CHECK(graded.sizes ==
            std::array<std::size_t, 3>{expected.train.size(), expected.validation.size(), expected.test.size()});
      const auto x = embed(table, expected.train);
      same_rows(t.train_x, x, expected.train);
      same_rows(t.validation_x, x, expected.validation);
      same_rows(t.test_x, x, expected.test);
      ur::matrix<double> train = ur::take(table.losses(), expected.train, expected.seen);
      ur::matrix<double> validation = ur::take(table.losses(), expected.validation, expected.unseen);
      if (options.hidden > 0) {
        ur::random_engine draws(ur::derive_seed(ur::derive_seed(options.seed, index), 4));
        hide(train, options.hidden, draws);
        hide(validation, options.hidden, draws);
      }
      const auto all = [](std::size_t n) {
        numbers out(n);
        for (std::size_t i = 0; i < n; ++i) out[i] = i;
        return out;
      };
      same(t.train_losses, train, all(expected.train.size()), all(expected.seen.size()));
      same(t.validation_losses, validation, all(expected.validation.size()), all(expected.unseen.size()));
      same(t.train_costs, table.costs(), expected.train, expected.seen);
      same(t.validation_costs, table.costs(), expected.validation, expected.unseen);
      same(graded.losses, table.losses(), expected.test, expected.unseen);
      same(graded.costs, table.costs(), expected.test, expected.unseen);
      same(graded.bayes, table.costs(), expected.test, expected.unseen);
      if (options.clairvoyant) {
        same(t.clairvoyant_losses, table.losses(), expected.train, expected.unseen);
      } else {
        CHECK(t.clairvoyant_losses.size() == 0);
      }
      REQUIRE(t.seen.size() == expected.seen.size());
      REQUIRE(t.unseen.size() == expected.unseen.size());
      for (std::size_t h = 0; h < t.seen.size(); ++h) CHECK(t.seen[h] == table.models()[expected.seen[h]].name);
      for (std::size_t h = 0; h < t.unseen.size(); ++h) CHECK(t.unseen[h] == table.models()[expected.unseen[h]].name);
      CHECK(t.static_pool == options.static_pool);
      CHECK(t.seed == ur::derive_seed(ur::derive_seed(options.seed, index), 2));
      const auto drawn =
          options.static_pool
              ? table.model_count()
              : table.model_count() - static_cast<std::size_t>(
                                          std::lround(options.seen_models * static_cast<double>(table.model_count())));
      CHECK(graded.dropped == drawn - t.unseen.size());
    }
  };
  run(plain, {.validation_prompts = 7});
  run(plain, {.seed = 5, .validation_prompts = 400, .test = .5});
  run(plain, {.validation_prompts = 0, .seen_models = .4});
  run(plain, {.validation_prompts = 7, .static_pool = true, .clairvoyant = true});
  run(plain, {.validation_prompts = 9, .hidden = .5, .clairvoyant = true});
  run(plain, {.validation_prompts = 9, .hidden = 1});
  run(shifted, {.validation_prompts = 3, .seen_models = .4, .shift = true});
  run(shifted, {.seed = 3, .validation_prompts = 400, .seen_models = .4, .hidden = .3, .shift = true});
}

TEST_CASE("what a trial cannot be is refused: a category without prompts elsewhere, LLMs that nobody asked") {
  const auto one = table_of({{"all", 260}}, 5, 1);
  const auto trial = [](const ur::routing_table& table, const ur::protocol_options& options) {
    return ur::detail::make_trial(
        table, ur::make_matrix<double>(0, 0), [&](auto rows) { return embed(table, rows); }, options, 0);
  };
  CHECK_THROWS_WITH(trial(one, {.shift = true}),
                    "run_protocol: shift is true, but must be false for table 'drawn', which has no category of 200 "
                    "prompts or more beside others");
  CHECK(trial(one, {}).bayes.size() == 0);
  const auto unknown = table_of({{"all", 40}}, 6, 1, 1);
  CHECK_THROWS_WITH(trial(unknown, {}), "run_protocol: trial 0 has no unseen LLM with observed outcomes");
  CHECK_THROWS_WITH(
      ur::detail::make_trial(
          one, ur::make_matrix<double>(0, 0), [&](auto) { return ur::make_matrix<float>(259, 1); }, {}, 0),
      "run_protocol: embed returned 259 rows, but must return 260");
  // A category of a single prompt beside the target leaves nothing to fit on wherever that prompt is a test prompt.
  const auto lonely = table_of({{"large", 220}, {"single", 1}}, 5, 1, 0);
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    try {
      trial(lonely, {.seed = seed, .shift = true});
    } catch (const std::invalid_argument& e) {
      CHECK(e.what() == std::string("run_protocol: shift to category 'large' leaves a side without prompts"));
      ++refused;
    }
  }
  CHECK(refused > 0);
  CHECK(refused < 20);
}
