//! Elements of a file as small trees, one at a time.

use std::io::{BufReader, Read};

use quick_xml::{Reader, events::Event};

use super::{Broken, decode::Utf8};

/// How deep elements lie in each other at most.
const DEPTH: usize = 64;
/// Bytes of text in one element at most, with all that lies in it.
const TEXT: usize = 4 << 20;
/// Elements in one at most.
const COUNT: usize = 100_000;
/// How long a piece of markup may be.
const MARKUP: usize = 4 << 20;

/// An element with what lies in it. Attributes say nothing that we need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub name: String,
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The children of a name in a child that lists them.
    pub fn listed<'a>(&'a self, list: &'a str, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.all(list).flat_map(move |list| list.all(name))
    }

    /// The text of a child on one line; none when it is blank.
    pub fn text_of(&self, name: &str) -> Option<String> {
        let text = crate::value::line(&self.child(name)?.text);
        (!text.is_empty()).then_some(text)
    }
}

/// Elements of chosen names, in their order.
#[derive(Debug)]
pub(super) struct Elements<R: Read> {
    reader: Reader<BufReader<Utf8<R>>>,
    buffer: Vec<u8>,
    /// Names of the elements that are open above.
    above: Vec<String>,
    begun: bool,
}

impl<R: Read> Elements<R> {
    pub fn new(bytes: BufReader<Utf8<R>>) -> Self {
        let mut reader = Reader::from_reader(bytes);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            above: Vec::new(),
            begun: false,
        }
    }

    /// The next element of one of these names, wherever it lies; what lies in it is not looked for.
    pub fn next(&mut self, names: &[&str]) -> Result<Option<Node>, Broken> {
        loop {
            match self.step()? {
                Step::Open(name) => {
                    if !self.begun && name != "КоммерческаяИнформация" {
                        return Err(Broken::Foreign(name.chars().take(40).collect()));
                    }
                    self.begun = true;
                    if names.contains(&name.as_str()) {
                        return self.tree(name).map(Some);
                    }
                    if self.above.len() >= DEPTH {
                        return Err(Broken::TooLarge);
                    }
                    self.above.push(name);
                }
                Step::Close => drop(self.above.pop()),
                Step::Text(_) => {}
                Step::End if self.begun && self.above.is_empty() => return Ok(None),
                Step::End => return Err(Broken::CutOff),
            }
        }
    }

    /// The element that was just opened.
    fn tree(&mut self, name: String) -> Result<Node, Broken> {
        let named = |name| Node {
            name,
            ..Node::default()
        };
        let mut open = vec![named(name)];
        let (mut bytes, mut count) = (0, 0);
        loop {
            match self.step()? {
                Step::Open(name) => {
                    count += 1;
                    if count > COUNT || open.len() >= DEPTH {
                        return Err(Broken::TooLarge);
                    }
                    open.push(named(name));
                }
                Step::Text(text) => {
                    bytes += text.len();
                    if bytes > TEXT {
                        return Err(Broken::TooLarge);
                    }
                    if let Some(node) = open.last_mut() {
                        node.text.push_str(&text);
                    }
                }
                Step::Close => {
                    let Some(done) = open.pop() else {
                        return Err(Broken::CutOff);
                    };
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => return Ok(done),
                    }
                }
                Step::End => return Err(Broken::CutOff),
            }
        }
    }

    fn step(&mut self) -> Result<Step, Broken> {
        let read = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        loop {
            self.buffer.clear();
            let event = self.reader.read_event_into(&mut self.buffer).map_err(broken)?;
            return Ok(match event {
                // What is empty is opened and closed: the reader was told so.
                Event::Start(tag) | Event::Empty(tag) if tag.len() > MARKUP => return Err(Broken::TooLarge),
                Event::Start(tag) | Event::Empty(tag) => Step::Open(read(tag.local_name().as_ref())),
                Event::End(_) => Step::Close,
                Event::Text(text) => Step::Text(read(&text)),
                Event::CData(text) => Step::Text(read(&text)),
                Event::GeneralRef(reference) => {
                    let known = match reference.resolve_char_ref().map_err(broken)? {
                        Some(char) => char.to_string(),
                        None => quick_xml::escape::resolve_xml_entity(&read(&reference))
                            .ok_or_else(|| Broken::NoXml("an entity that is not XML's own".to_owned()))?
                            .to_owned(),
                    };
                    Step::Text(known)
                }
                Event::DocType(_) => return Err(Broken::DocumentType),
                Event::Eof => Step::End,
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => continue,
            });
        }
    }
}

enum Step {
    Open(String),
    Close,
    Text(String),
    End,
}

fn broken(error: quick_xml::Error) -> Broken {
    match error {
        quick_xml::Error::Io(error) => Broken::Io(std::io::Error::new(error.kind(), error.to_string())),
        quick_xml::Error::Syntax(_) => Broken::CutOff,
        other => Broken::NoXml(other.to_string()),
    }
}
