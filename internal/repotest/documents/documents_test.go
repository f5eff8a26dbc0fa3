package documents

import (
	"reflect"
	"testing"
)

func TestParse(t *testing.T) {
	const text = "# Title\n\n`xrdpfix no`\n```\nxrdpfix check   # why\n\nxrdpfix apply --name 'a b' \\\n  --days 3\n```\ntext\n```\n$ ls -l\nfile\n# sudo xrdpfix plan\n# not a prompt: 3\n```\n```ini\n[a]\n```\n```sh\nsudo make \"it # so\"\n```\n"
	want := []Command{
		{"f.md", 5, []string{"xrdpfix", "check"}},
		{"f.md", 7, []string{"xrdpfix", "apply", "--name", "a b", "--days", "3"}},
		{"f.md", 12, []string{"ls", "-l"}},
		{"f.md", 14, []string{"xrdpfix", "plan"}},
		{"f.md", 15, []string{"not", "a", "prompt:", "3"}},
		{"f.md", 21, []string{"make", "it # so"}},
	}
	if got := Parse("f.md", text); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}

// TestCommands: the documents have commands, and some of them are ours.
func TestCommands(t *testing.T) {
	list, err := Commands("../../..")
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, c := range list {
		if _, is := c.Xrdpfix(); is {
			ours++
		}
	}
	if ours < 40 || len(list) <= ours {
		t.Errorf("%d commands, %d of xrdpfix", len(list), ours)
	}
}
