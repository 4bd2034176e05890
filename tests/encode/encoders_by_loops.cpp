// Bag-of-words encoders beside exact tf-idf, in plain loops over words.

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <uniroute/encode/encode.hpp>
#include <vector>

namespace ur = uniroute;

namespace {

std::vector<std::string> corpus(std::uint64_t seed, std::size_t texts) {
  ur::random_engine engine(seed);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < texts; ++i) {
    std::string text;
    const std::size_t words = 1 + engine.below(12);
    // Rare and common words, some several times in one text.
    for (std::size_t w = 0; w < words; ++w) {
      const std::size_t word = engine.below(1 + engine.below(14));
      text += (text.empty() ? "" : " ") + std::string("word") + std::to_string(word);
    }
    out.push_back(text);
  }
  return out;
}

using bag = std::map<std::string, double>;

bag counts(const std::string& text, std::size_t longest) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  bag out;
  for (std::size_t n = 1; n <= longest; ++n) {
    for (std::size_t w = 0; w + n <= words.size(); ++w) {
      std::string gram;
      for (std::size_t j = 0; j < n; ++j) gram += words[w + j] + " ";
      out[gram] += 1;
    }
  }
  return out;
}

/// (1 + log tf) or tf, times 1 + log((1 + N) / (1 + df)); n-grams in fewer than `least` texts are left out.
std::vector<bag> tf_idf(const std::vector<std::string>& texts, std::size_t longest, bool sublinear, double least) {
  bag frequency;
  for (const auto& text : texts) {
    for (const auto& [gram, count] : counts(text, longest)) frequency[gram] += 1;
  }
  std::vector<bag> out;
  for (const auto& text : texts) {
    bag weights;
    for (const auto& [gram, count] : counts(text, longest)) {
      if (frequency[gram] < least) continue;
      weights[gram] = (sublinear ? 1 + std::log(count) : count) *
                      (1 + std::log((1 + static_cast<double>(texts.size())) / (1 + frequency[gram])));
    }
    out.push_back(weights);
  }
  return out;
}

double dot(const bag& a, const bag& b) {
  double sum = 0;
  for (const auto& [gram, weight] : a) {
    const auto other = b.find(gram);
    if (other != b.end()) sum += weight * other->second;
  }
  return sum;
}

double cosine(const bag& a, const bag& b) {
  const double norms = std::sqrt(dot(a, a) * dot(b, b));
  return norms > 0 ? dot(a, b) / norms : 0;
}

double product(const ur::embedding_matrix& x, std::size_t i, std::size_t j) {
  double sum = 0;
  for (std::size_t d = 0; d < ur::columns(x); ++d) sum += static_cast<double>(x(i, d)) * static_cast<double>(x(j, d));
  return sum;
}

}  // namespace

TEST_CASE("hashed tf-idf has the cosines of exact tf-idf, to what its dimension allows") {
  for (const bool sublinear : {true, false}) {
    for (const std::size_t longest : {std::size_t{1}, std::size_t{2}}) {
      const auto texts = corpus(7 + longest, 40);
      ur::hashed_tfidf encoder{{.dimension = 65536, .longest_ngram = longest, .sublinear_tf = sublinear}};
      encoder.fit(texts);
      const auto x = encoder.encode(texts);
      const auto exact = tf_idf(texts, longest, sublinear, 1);
      // Random signs of 65,536 dimensions: a cosine is off by .004 or so; other weights move many by more than .03.
      double largest = 0;
      for (std::size_t i = 0; i < 40; ++i) {
        for (std::size_t j = 0; j < i; ++j)
          largest = std::max(largest, std::fabs(product(x, i, j) - cosine(exact[i], exact[j])));
      }
      CHECK(largest < .02);
    }
  }
}

TEST_CASE("lsa with all directions has the cosines of exact tf-idf of the n-grams it keeps") {
  for (const std::size_t least : {std::size_t{1}, std::size_t{2}, std::size_t{4}}) {
    const auto texts = corpus(3, 30);
    ur::lsa encoder{{.dimension = 30, .least_prompts = least, .longest_ngram = 2}};
    encoder.fit(texts);
    const auto x = encoder.encode(texts);
    const auto exact = tf_idf(texts, 2, true, static_cast<double>(least));
    for (std::size_t i = 0; i < 30; ++i) {
      for (std::size_t j = 0; j <= i; ++j) CHECK(product(x, i, j) == Approx(cosine(exact[i], exact[j])).margin(1e-4));
    }
  }
}

TEST_CASE("of two special tokens that begin alike the longer is taken, and a bare continuation is a word of its own") {
  const std::vector<std::string> vocabulary{"[PAD]", "[UNK]", "[CLS]",  "[SEP]", "##", "##b",
                                            "a",     "[M]",   "[M][N]", "ab",    "b"};
  ur::wordpiece_options options;
  options.special = {"[M]", "[M][N]"};
  const ur::wordpiece_tokenizer tokenizer(vocabulary, options);
  CHECK(tokenizer.encode("a [M][N] a") == std::vector<std::uint32_t>{2, 6, 8, 6, 3});
  CHECK(tokenizer.encode("a [M] a") == std::vector<std::uint32_t>{2, 6, 7, 6, 3});
  std::swap(options.special[0], options.special[1]);
  CHECK(ur::wordpiece_tokenizer(vocabulary, options).encode("[M][N]") == std::vector<std::uint32_t>{2, 8, 3});
  CHECK(tokenizer.encode("ab") == std::vector<std::uint32_t>{2, 9, 3});  // the longest piece first
  // What is left of "abb" after "ab" is "##b"; the entry "##" continues nothing.
  CHECK(tokenizer.encode("abb") == std::vector<std::uint32_t>{2, 9, 5, 3});
  CHECK(tokenizer.find("##") == 4);
  CHECK(tokenizer.encode("ax") == std::vector<std::uint32_t>{2, 1, 3});  // and is no way on where no piece is
}
