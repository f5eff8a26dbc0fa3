# -*- coding: utf-8 -*-
# Copyright: the xrdpfix authors
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the xrdpfix of a machine and reads what it answers."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

# The version of the JSON that the modules read (docs/schema.json of xrdpfix).
SCHEMA = 1

# What a document is to a play: everything of it that says more than that it is one.
RETURNED = (
    'tool', 'xrdp', 'host', 'exit', 'findings', 'unseen', 'plan', 'diff', 'verdict', 'clients',
    'journal', 'certificate', 'served', 'probe',
)


class Program:
    """The program of a machine; path is None where it has none."""

    def __init__(self, module, name, options=()):
        self.module = module
        self.path = module.get_bin_path(name, opt_dirs=['/usr/local/sbin', '/usr/local/bin'])
        self.options = list(options)

    def run(self, command, *words):
        """Runs a command and returns its objects, the last one being the result."""
        argv = [self.path] + self.options + ['--json', command] + list(words)
        status, out, err = self.module.run_command(argv, environ_update={'LC_ALL': 'C.UTF-8', 'NO_COLOR': '1'})
        try:
            documents = [json.loads(line) for line in out.splitlines() if line.strip()]
            schema = documents[-1]['schema']
        except (ValueError, IndexError, KeyError, TypeError):
            self.module.fail_json(
                msg='%s did not answer in JSON (exit status %d): %s' % (' '.join(argv), status, (err or out).strip()),
                rc=status, cmd=argv, stdout=out, stderr=err)
        if schema != SCHEMA:
            self.module.fail_json(
                msg='%s answers with schema %s, this module reads %d: the collection and the program are of different releases'
                % (self.path, schema, SCHEMA), rc=status, cmd=argv)
        return documents

    def one(self, command, *words):
        """Runs a command that answers with one object."""
        return self.run(command, *words)[-1]


def result(document):
    """What a module returns of a document."""
    out = dict((name, document[name]) for name in RETURNED if name in document)
    out['changed'] = document['changed']
    return out


def error(document):
    """The error of a document in one line, with its hints."""
    doc = document.get('error') or {}
    text = doc.get('message', '')
    hints = doc.get('hints') or []
    if text and hints:
        text += ' (hint: %s)' % '; '.join(hints)
    return text


def reason(document):
    """Why it ended so: the error, the refusal, what refutes the proof, or what is left to a human."""
    plan = document.get('plan') or {}
    refusal = plan.get('refusal') or {}
    verdict = document.get('verdict') or {}
    if error(document):
        return error(document)
    if document['exit']['code'] == 7 and refusal:
        instead = refusal.get('instead') or []
        return refusal['text'] + (' (instead: %s)' % ', or '.join(instead) if instead else '')
    if document['exit']['code'] in (4, 5, 130) and verdict.get('reasons'):
        return '; '.join(verdict['reasons'])
    left = ['%s: %s' % (m['because'], m['text']) for m in plan.get('manual') or [] if m['severity'] == 'error']
    if not left:
        left = ['%s: %s' % (f['code'], f['detail']) for f in document.get('findings') or [] if f['severity'] == 'error']
    if not left:
        left = document.get('unseen') or []
    return '; '.join(left)
