// expect: router: Rule must model routing_rule: choose\(candidates<>\) const -> index, save, load
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

struct first_rule {
#ifdef UNIROUTE_EXPECT_OK
  std::size_t choose(const ur::candidates<>&) const { return 0; }
#else
  std::size_t choose(const ur::candidates<>&) { return 0; }
#endif
  ur::state save() const { return {}; }
  void load(const ur::state&) {}
};

ur::router router{ur::hashed_tfidf{}, ur::cell_predictor<>{}, first_rule{}};
