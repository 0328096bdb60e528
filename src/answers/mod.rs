//! What the dialog asks of the outside: intent scores, HTTP backends, a language model. Answers return as Events.
