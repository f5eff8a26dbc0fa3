package explain

import (
	"strings"

	"xrdpfix/diagnose"
)

// finding is what there is to say about a code beside the catalogue of diagnose.
type finding struct {
	text   string
	mend   []Step // instead of those that follow from who mends it
	advice string
}

// findingTexts returns the longer texts by code.
func findingTexts() map[diagnose.Code]finding {
	all := map[diagnose.Code]finding{}
	for _, part := range []map[diagnose.Code]finding{keyTexts, certTexts, iniTexts, layerTexts, tlsTexts, serviceTexts, clientTexts, ownTexts} {
		for code, f := range part {
			all[code] = f
		}
	}
	return all
}

// findingEntries makes an entry of every code of the catalogue, also of those
// that have no longer text yet.
func findingEntries() []Entry {
	texts := findingTexts()
	var out []Entry
	for _, e := range diagnose.Catalogue() {
		f := texts[e.Code]
		entry := Entry{
			ID: string(e.Code), Group: GroupFinding, Title: string(e.Code) + ": " + e.Meaning,
			Text: mends(e), Mend: f.mend, Advice: f.advice, Known: Measured,
		}
		if f.text != "" {
			entry.Text = f.text + "\n\n" + entry.Text
		}
		if len(entry.Mend) == 0 {
			entry.Mend = mendSteps(e)
		}
		if !startsWith(entry.Mend, stepCheck.Line) {
			entry.Find = []Step{stepCheck}
		}
		out = append(out, entry)
	}
	return out
}

// mends says how bad a finding is, and who ends it.
func mends(e diagnose.Entry) string {
	text := "Severity: " + string(e.Severity) + ". "
	switch e.Mend[0] {
	case diagnose.MendApply:
		text += "A plain xrdpfix apply mends it"
	case diagnose.MendStated:
		text += "It is changed only when a flag says so"
	case diagnose.MendHuman:
		text += "Somebody on the server has to mend it; check prints the command where there is one"
	case diagnose.MendClient:
		text += "It is the client's to change, not the server's"
	default:
		text += "There is nothing to mend by itself"
	}
	if len(e.Mend) > 1 {
		switch e.Mend[1] {
		case diagnose.MendStated:
			text += "; some cases only with a flag that says so"
		case diagnose.MendHuman:
			text += "; some cases need somebody on the server"
		}
	}
	return text + "."
}

func mendSteps(e diagnose.Entry) []Step {
	switch e.Mend[0] {
	case diagnose.MendApply:
		return []Step{do("xrdpfix plan", "the change, as a diff; changes nothing"), stepApply}
	case diagnose.MendStated:
		return []Step{stepCheck, do("xrdpfix apply --help", "the flags, and what each states")}
	case diagnose.MendClient:
		return []Step{stepLog, stepClient}
	}
	return []Step{stepCheck}
}

func startsWith(steps []Step, line string) bool {
	return len(steps) > 0 && strings.HasPrefix(steps[0].Line, line)
}
