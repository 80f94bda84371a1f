//! The parts of a Markdown page: its headings, links, blocks of code and words.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// One page.
#[derive(Debug, Default)]
pub struct Page {
    /// The headings of level 2.
    pub headings: Vec<String>,
    /// The targets of its links.
    pub links: Vec<String>,
    /// Its blocks of code: the language, and the text.
    pub blocks: Vec<(String, String)>,
    /// The number of words outside of blocks of code and of collapsed answers.
    pub words: usize,
}

impl Page {
    /// Reads `text`.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut page = Self::default();
        let (mut heading, mut block) = (None::<String>, None::<(String, String)>);
        let mut collapsed = false;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { level, .. }) if level as u8 == 2 => {
                    heading = Some(String::new());
                }
                Event::End(TagEnd::Heading(_)) => page.headings.extend(heading.take()),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.to_string());
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    block = Some((language.to_string(), String::new()));
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Text(text) | Event::Code(text) => match (&mut block, &mut heading) {
                    (Some((_, code)), _) => code.push_str(&text),
                    (None, heading) => {
                        if !collapsed {
                            page.words += text.split_whitespace().count();
                        }
                        if let Some(heading) = heading {
                            heading.push_str(&text);
                        }
                    }
                },
                Event::Html(html) if html.starts_with("<details>") => collapsed = true,
                Event::Html(html) if html.starts_with("</details>") => collapsed = false,
                _ => {}
            }
        }
        page
    }
}
