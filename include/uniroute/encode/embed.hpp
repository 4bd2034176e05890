#pragma once

// The embeddings of a table's prompts, whichever kind of reader stands first in the router.

#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>

namespace uniroute {

/// An encoder encodes the table's texts. Throws std::invalid_argument if it has none, and what `encode` throws.
template <encoder Reader, class Loss>
embedding_matrix embed(const Reader& reader, const basic_routing_table<Loss>& table) {
  detail::require(table.has_prompts() || table.size() == 0, "embed: table '", table.name(),
                  "' has no prompt texts, but an encoder must have them");
  return reader.encode(table.prompts());
}

/// An embedding source checks the table's embeddings and hands them on. Throws std::invalid_argument if it has none,
/// and what `check` throws.
template <embedding_source Reader, class Loss>
requires(!encoder<Reader>) embedding_matrix embed(const Reader& reader, const basic_routing_table<Loss>& table) {
  detail::require(table.has_embeddings(), "embed: table '", table.name(),
                  "' has no embeddings, but precomputed embeddings must be there");
  reader.check(table.embeddings());
  return table.embeddings();
}

}  // namespace uniroute
