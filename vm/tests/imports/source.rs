// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a file of Rust declares and names, by its tokens. What is for tests alone is left out.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};

/// Names from left to right.
pub type Path = Vec<String>;

/// A path of a `use`, and the name that it gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Use {
    pub path: Path,
    pub name: String,
    /// It is `pub use`.
    pub handed_on: bool,
}

/// What one file says.
#[derive(Debug, Default)]
pub struct Source {
    /// Modules in files of their own.
    pub modules: Vec<String>,
    pub uses: Vec<Use>,
    /// Paths of more than one name, outside of `use`, and whether each is called: then it ends in a function, whatever module
    /// has the same name.
    pub paths: BTreeSet<(Path, bool)>,
    /// All other names outside of `use`.
    pub names: BTreeSet<String>,
}

impl Source {
    /// Reads it.
    pub fn read(text: &str) -> Self {
        let mut source = Self::default();
        source.walk(&text.parse::<TokenStream>().unwrap().into_iter().collect::<Vec<_>>(), 0);
        source
    }

    /// `depth`: how many modules are around this in the file.
    fn walk(&mut self, tokens: &[TokenTree], depth: usize) {
        let mut at = 0;
        let mut public = false;
        while let Some(token) = tokens.get(at) {
            let (was_public, next) = (std::mem::take(&mut public), tokens.get(at + 1));
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' && is_for_tests(next) => {
                    at += 2 + item(&tokens[at + 2..]);
                    continue;
                }
                TokenTree::Group(group) => {
                    self.walk(&group.stream().into_iter().collect::<Vec<_>>(), depth);
                    // `pub(crate) use`.
                    public = was_public && group.delimiter() == Delimiter::Parenthesis;
                }
                TokenTree::Ident(word) if word == "pub" => public = true,
                TokenTree::Ident(word) if word == "use" => {
                    let length = item(&tokens[at..]);
                    let mut tree = tokens[at + 1..at + length].iter().peekable();
                    for (path, name) in leaves(&mut tree, &Path::new()) {
                        // In a module inside of a file, the first `super` is that file.
                        let path =
                            if depth > 0 && path[0] == "super" { path[depth..].to_vec() } else { path };
                        self.uses.push(Use { path, name, handed_on: was_public });
                    }
                    at += length;
                    continue;
                }
                TokenTree::Ident(word) if word == "mod" => {
                    match (next, tokens.get(at + 2)) {
                        (Some(TokenTree::Ident(name)), Some(TokenTree::Punct(_))) => {
                            self.modules.push(name.to_string());
                        }
                        (_, Some(TokenTree::Group(body))) => {
                            self.walk(&body.stream().into_iter().collect::<Vec<_>>(), depth + 1);
                        }
                        _ => {}
                    }
                    at += 3;
                    continue;
                }
                TokenTree::Ident(word) => {
                    let path = path_from(word, &tokens[at + 1..]);
                    at += 3 * (path.len() - 1);
                    self.names.insert(path[0].clone());
                    if path.len() > 1 {
                        let called = matches!(
                            tokens.get(at + 1),
                            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis
                        );
                        self.paths.insert((path, called));
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}

/// `cfg(test)`, or another that tests are compiled with.
fn is_for_tests(attribute: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = attribute else { return false };
    let text = group.stream().to_string().replace(' ', "");
    text == "cfg(test)" || text.starts_with("cfg(any(test,")
}

/// How many tokens an item has, from its attributes to its body or its semicolon.
fn item(tokens: &[TokenTree]) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    let is_use = tokens.iter().take(2).any(|token| matches!(token, TokenTree::Ident(word) if word == "use"));
    let semicolon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
    let end = tokens.iter().position(|token| if is_use { semicolon(token) } else { ends(token) });
    end.map_or(tokens.len(), |end| end + 1)
}

/// The names behind `first`, each with `::` before it.
fn path_from(first: &Ident, mut rest: &[TokenTree]) -> Path {
    let mut path = vec![first.to_string()];
    while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(name), after @ ..] = rest
        && (one.as_char(), one.spacing(), two.as_char()) == (':', Spacing::Joint, ':')
    {
        path.push(name.to_string());
        rest = after;
    }
    path
}

/// The paths of a `use`, with the names that they give, up to the end of this branch.
fn leaves<'a>(
    tokens: &mut std::iter::Peekable<impl Iterator<Item = &'a TokenTree>>,
    before: &Path,
) -> Vec<(Path, String)> {
    let (mut path, mut found, mut name) = (before.clone(), Vec::new(), None);
    let mut renamed = false;
    for token in tokens.by_ref() {
        match token {
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut inner = inner.iter().peekable();
                while inner.peek().is_some() {
                    found.extend(leaves(&mut inner, &path));
                }
                path.clear();
            }
            TokenTree::Ident(word) if word == "as" => renamed = true,
            TokenTree::Ident(word) if renamed => name = Some(word.to_string()),
            TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
            TokenTree::Ident(word) => path.push(word.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == '*' => path.push("*".into()),
            TokenTree::Punct(punct) if [',', ';'].contains(&punct.as_char()) => break,
            _ => {}
        }
    }
    if let Some(last) = path.last() {
        let name = name.unwrap_or_else(|| last.clone());
        found.push((path, name));
    }
    found
}
