"""The gallery as tables for the documents."""

from __future__ import annotations

from gallery_stories import STORIES, Story
from make_gallery import machine_of, searched


def link(story: Story, folder: str) -> str:
    """A link to the file of a story, from a document that sees the gallery at `folder`."""
    return f"[{story.name}]({folder}/{story.file})"


def files() -> str:
    """The files of the gallery with what each shows, for traces/README.md."""
    rows = [f"| {link(story, 'gallery')} | {story.title} | {story.states} |" for story in STORIES]
    return "\n".join(["| file | what happens | states |", "|---|---|--:|", *rows])


def where(story: Story) -> str:
    """The model, with its variant or mutant, as code."""
    parts = [story.model, story.variant, story.mutant]
    return ", ".join(f"`{part}`" for part in parts if part)


def gallery() -> str:
    """The whole gallery: what is known of each bug, and what a search of its scope gives."""
    columns = "what happens | known as | no. | model, variant, mutant | breaks | states | searched"
    lines = [f"| {columns} | file |", "|---|---|---|---|---|--:|--:|---|"]
    for story in STORIES:
        found, count = searched(story, machine_of(story))
        cells = [
            story.title,
            story.cites or "our own",
            story.number,
            where(story),
            f"`{story.breaks}`",
            str(found.length),
            f"{count:,}",
            link(story, "../traces/gallery"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
