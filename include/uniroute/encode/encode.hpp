#pragma once

// Prompts → embeddings.
//
// There are
//   hashed_tfidf            texts → D numbers by hashed words: needs no model, fits in a second, routes single texts.
//                           Take it to start with, in tests, and where words tell the subject.
//   precomputed_embeddings  rows that come with the table (embeddings.npy), from any sentence encoder. Take it when you
//                           have them: they see meaning where tf-idf sees words. New prompts arrive as embeddings.
//   embed(reader, table)    the embeddings of a table with either.
// A sentence encoder of your own is a class with `fit`, `encode`, `dimension`, `save` and `load`
// (concepts/encoder.hpp).
//
// Not provided: character n-grams (ten times the features of words, for typing errors that prompts rarely have),
// stemming and stop words (a language each; idf already takes the weight off common words), a stored vocabulary
// (hashing needs none, and a bucket shared by two rare words costs less than the projection's own noise of 1/√D).

#include <uniroute/encode/embed.hpp>
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
