// Package documents finds the commands in the documents, so that tests can run
// them: what a reader pastes must work.
package documents

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A Command is one command line of a fenced block.
type Command struct {
	File string // from the root of the repository
	Line int
	// Words are its words, without prompt, sudo and comment.
	Words []string
}

// String is what a shell would get, quotes aside.
func (c Command) String() string { return strings.Join(c.Words, " ") }

// Xrdpfix returns the arguments where it is xrdpfix that is called.
func (c Command) Xrdpfix() ([]string, bool) {
	if len(c.Words) == 0 || c.Words[0] != "xrdpfix" {
		return nil, false
	}
	return c.Words[1:], true
}

// Commands are those of README.md, of the documents and of packaging, in their
// order. root is the root of the repository.
func Commands(root string) ([]Command, error) {
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"README.md", "packaging/README.md", "packaging/ansible/README.md"} {
		files = append(files, filepath.Join(root, name))
	}
	var out []Command
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		short, err := filepath.Rel(root, name)
		if err != nil {
			return nil, err
		}
		out = append(out, Parse(short, string(text))...)
	}
	return out, nil
}

// prompt stands before a command that a block shows with what it prints.
var prompt = regexp.MustCompile(`^[#$] (?:sudo )?([a-z][a-z0-9_./-]*)\b`)

// Parse finds the commands in one document: the lines of its fenced blocks that
// name no other language than a shell's, or, where a block has prompts, the lines
// behind them.
func Parse(file, text string) []Command {
	var out []Command
	var block []string
	begin, inside, shell := 0, false, false
	for i, line := range strings.Split(text, "\n") {
		fence, language, _ := strings.Cut(strings.TrimSpace(line), "```")
		switch {
		case fence != "" || !strings.HasPrefix(strings.TrimSpace(line), "```"):
			if inside {
				block = append(block, line)
			}
		case !inside:
			inside, begin, block = true, i+2, nil
			shell = language == "" || language == "sh" || language == "console"
		default:
			if inside = false; shell {
				out = append(out, ofBlock(file, begin, block)...)
			}
		}
	}
	return out
}

func ofBlock(file string, begin int, block []string) []Command {
	prompted := false
	for _, line := range block {
		prompted = prompted || prompt.MatchString(line)
	}
	var out []Command
	whole, at := "", 0
	for i, line := range block {
		if prompted && !prompt.MatchString(line) {
			continue
		}
		if whole == "" {
			at = begin + i
		}
		if prompted {
			line = line[2:]
		}
		if rest, goesOn := strings.CutSuffix(line, `\`); goesOn {
			whole += rest
			continue
		}
		words := Split(whole + line)
		whole = ""
		if len(words) > 0 && words[0] == "sudo" {
			words = words[1:]
		}
		if len(words) > 0 {
			out = append(out, Command{file, at, words})
		}
	}
	return out
}

// Split parts a line into words as a shell does, and leaves the comment out.
func Split(line string) []string {
	var out []string
	var word strings.Builder
	quote, has := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, has = r, true
		case r == ' ' || r == '\t':
			if has || word.Len() > 0 {
				out = append(out, word.String())
			}
			word.Reset()
			has = false
		case r == '#' && word.Len() == 0 && !has:
			return out
		default:
			word.WriteRune(r)
		}
	}
	if has || word.Len() > 0 {
		out = append(out, word.String())
	}
	return out
}
