//! The words of a statement, read from left to right.

use super::lexer::Token;

/// The words of a statement, read from left to right.
#[derive(Clone, Copy)]
pub(super) struct Words<'a>(pub(super) &'a [Token]);

impl<'a> Words<'a> {
    /// The next token, if it is an unquoted word.
    pub(super) fn peek(self) -> &'a str {
        match self.0.first() {
            Some(Token::Word(word)) => word,
            _ => "",
        }
    }

    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Takes these words if they follow.
    pub(super) fn take(&mut self, words: &[&str]) -> bool {
        let follow =
            self.0.len() >= words.len() && self.0.iter().zip(words).all(|(token, word)| token.is(word));
        if follow {
            self.0 = &self.0[words.len()..];
        }
        follow
    }

    /// Takes one of these words if it follows.
    pub(super) fn take_one<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        words.iter().find(|word| self.take(&[word])).copied()
    }

    pub(super) fn sign(&mut self, sign: char) -> bool {
        let follows = self.0.first() == Some(&Token::Sign(sign));
        if follows {
            self.0 = &self.0[1..];
        }
        follows
    }

    pub(super) fn has(self, word: &str) -> bool {
        self.0.iter().any(|token| token.is(word))
    }

    /// Takes a name, qualified or not.
    pub(super) fn name(&mut self) -> Option<String> {
        let mut name = match self.next()? {
            Token::Word(word) => word.to_lowercase(),
            Token::Name(name) | Token::Text(name) => name.to_lowercase(),
            Token::Number(_) | Token::Sign(_) => return None,
        };
        while self.sign('.') {
            match self.next()? {
                Token::Word(part) | Token::Name(part) => name = part.to_lowercase(),
                Token::Text(_) | Token::Number(_) | Token::Sign(_) => return None,
            }
        }
        Some(name)
    }
}
