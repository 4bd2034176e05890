#pragma once

// Prompts → embeddings.
//
// There are
//   hashed_tfidf            texts → D numbers by hashed words: needs no model, fits in a second, routes single texts.
//                           Take it to start with, in tests, and where words tell the subject.
//   lsa                     the leading directions of tf-idf over the training prompts: words that occur together come
//                           together. Needs no model; a second for some thousand prompts. Between words and meaning.
//   transformer_encoder     a BERT-family sentence encoder (all-MiniLM-L6-v2 and its kin), read by
//                           read_transformer(folder) of uniroute/files.hpp. Take it where prompts are paraphrases of
//                           each other, and where thousands of tokens a second and core are fast enough.
//   static_encoder          a table of token vectors distilled from a transformer: `distill(transformer)`. Hundreds of
//                           times the speed. Take it for large corpora and tight latencies.
//   concatenated            two encoders side by side. Words and meaning together often route better than either.
//   projected               an encoder along the principal axes of the training prompts.
//   precomputed_embeddings  rows that come with the table (embeddings.npy), from any sentence encoder. Take it when you
//                           have them: they see meaning where tf-idf sees words. New prompts arrive as embeddings.
//   embed(reader, table)    the embeddings of a table with either.
// A sentence encoder of your own is a class with `fit`, `encode`, `dimension`, `save` and `load`
// (concepts/encoder.hpp).
//
// Not provided: character n-grams (ten times the features of words, for typing errors that prompts rarely have),
// stemming and stop words (a language each; idf already takes the weight off common words), a stored vocabulary
// (hashing needs none, and a bucket shared by two rare words costs less than the projection's own noise of 1/√D).

#include <uniroute/encode/concatenated.hpp>
#include <uniroute/encode/embed.hpp>
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/encode/lsa.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/encode/projected.hpp>
#include <uniroute/encode/static_encoder.hpp>
#include <uniroute/encode/transformer_encoder.hpp>
#include <uniroute/encode/wordpiece_tokenizer.hpp>
