#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: the xrdpfix authors
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ansible module xrdpfix."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: xrdpfix
short_description: Repair the security negotiation of xrdp, and prove it
version_added: 0.1.0
description:
  - Runs the C(xrdpfix) of the host. It finds what stops Remote Desktop clients from negotiating security,
    makes the smallest change, connects as a client does, reads that connection in C(xrdp.log), and keeps
    the change only if both prove it; otherwise everything is put back and the task fails with the reason.
  - What is not stated here is what C(/etc/xrdpfix/policy.ini) of the host says, and else a plain repair
    that leaves working settings alone.
  - A host on which nothing is due reports C(changed=false) and is not written to.
  - Needs root on the host, thus usually C(become=true).
options:
  state:
    description:
      - C(applied) makes the change that is due and proves it.
      - C(checked) only looks. It fails where it cannot look at all, never because of what it finds.
      - C(confirmed) keeps a change made with I(confirm_within) or I(for).
      - C(rolled_back) puts back what the apply I(journal) changed.
    type: str
    choices: [applied, checked, confirmed, rolled_back]
    default: applied
  security_layer:
    description: What xrdp offers. C(tls) shuts out clients without TLS.
    type: str
    choices: [negotiate, tls, rdp]
  tls_min:
    description: Lowest TLS version. A version is put into quotes, as in C("1.2").
    type: str
    choices: ['1.0', '1.1', '1.2', '1.3']
  tls_max:
    description: Highest TLS version.
    type: str
    choices: ['1.0', '1.1', '1.2', '1.3']
  profile:
    description:
      - The range by name, instead of I(tls_min) and I(tls_max). C(modern) is TLS 1.3 alone, C(intermediate)
        1.2 and 1.3, C(legacy) 1.0 to 1.3, C(declared) what C(sesman.ini) declares.
      - C(legacy) wants I(for).
    type: str
    choices: [modern, intermediate, legacy, declared]
  cert:
    description:
      - When to make a new certificate. C(auto) for a reason, such as a key that xrdp cannot read; C(keep) never.
      - C(renew) makes one in each run, and so reports C(changed) in each run.
    type: str
    choices: [auto, keep, renew]
  name:
    description: Names and addresses that a new certificate is for, instead of those of the host.
    type: list
    elements: str
  key:
    description: The kind of a new key.
    type: str
    choices: [rsa2048, rsa3072, rsa4096, ecdsa-p256]
  days:
    description: How long a new certificate lasts.
    type: int
  renew_before:
    description: Renew a certificate of xrdpfix's own so many days before its end.
    type: int
  warn_days:
    description: Report a certificate that ends within so many days.
    type: int
  ignore:
    description: Finding codes to leave out of account.
    type: list
    elements: str
  restart:
    description:
      - When to restart xrdp. C(auto) does where a change needs it, or where it disturbs nobody; it refuses
        a change that needs a restart while somebody is connected or a desktop is live.
      - C(always) cuts off whoever is connected. C(never) refuses a change that needs a restart.
      - C(when-idle) has the host make the change when the last desktop has ended; until then the task
        reports C(changed=false) with the reason C(waiting).
    type: str
    choices: [auto, always, never, when-idle]
  confirm_within:
    description:
      - Undo the change after this time, as in C(10m), unless I(state=confirmed) comes before it. The host
        does it by itself, so that a change that cuts the controller off does not last.
    type: str
  for:
    description: Undo the change after this time, as in C(14d); C(ever) where I(profile=legacy) is to stay.
    type: str
  no_rollback:
    description: Keep a change that could not be proven. The task fails all the same.
    type: bool
    default: false
  in_place:
    description: Write into a file that cannot be replaced, such as one bind-mounted file. This is not atomic.
    type: bool
    default: false
  timeout:
    description: Time allowed for each connection to xrdp, as in C(10s).
    type: str
  journal:
    description:
      - The apply to confirm or to put back, as returned in RV(journal). Needed for I(state=rolled_back).
      - Without it I(state=confirmed) confirms the change that waits, if there is one.
    type: str
  force:
    description: With I(state=rolled_back), overwrite files that somebody changed since.
    type: bool
    default: false
  on_refused:
    description:
      - What becomes of the task when xrdpfix refuses before touching anything (exit status 7), for instance
        because a restart is needed and desktops are live. C(skip) reports the host as skipped.
    type: str
    choices: [fail, skip]
    default: fail
  missing:
    description:
      - What becomes of the task where the host has no xrdpfix, or no xrdp. C(ignore) reports it as skipped.
    type: str
    choices: [fail, ignore]
    default: fail
  program:
    description: The program, by its path, or by its name in C(PATH).
    type: str
    default: xrdpfix
  root:
    description: A tree to work on instead of the running system, for makers of images. Nothing can be proven there.
    type: path
attributes:
  check_mode:
    support: full
    description: Runs C(xrdpfix plan), which is the same plan that a run executes, stopped before the first effect.
  diff_mode:
    support: full
    description: Private keys and passwords are never part of it.
  platform:
    platforms: linux
    support: full
    description: Where xrdp runs.
extends_documentation_fragment: []
notes:
  - C(async) works. A task that is cut off in the middle leaves a journal, and the next run puts that change back first.
  - To go on where something is left that only a human can mend, state C(failed_when) with RV(exit.reason).
seealso:
  - module: xrdpfix.xrdp.xrdpfix_probe
author:
  - The xrdpfix authors (@xrdpfix)
'''

EXAMPLES = r'''
- name: Repair what stops clients from negotiating security
  xrdpfix.xrdp.xrdpfix:
  become: true

- name: Serve TLS 1.2 and 1.3 alone, and leave machines in peace on which somebody works
  xrdpfix.xrdp.xrdpfix:
    security_layer: tls
    profile: intermediate
    on_refused: skip
    missing: ignore
  become: true

- name: Let old thin clients in for two weeks
  xrdpfix.xrdp.xrdpfix:
    profile: legacy
    for: 14d
  become: true

- name: Change what could cut everybody off
  xrdpfix.xrdp.xrdpfix:
    security_layer: tls
    confirm_within: 10m
  become: true
  register: apply

- name: Connect from here, as the users do
  xrdpfix.xrdp.xrdpfix_probe:
    host: "{{ ansible_host }}"
    certificate: "{{ apply.served.sha256 }}"
  delegate_to: localhost

- name: Keep the change
  xrdpfix.xrdp.xrdpfix:
    state: confirmed
  become: true
'''

RETURN = r'''
msg:
  description: How it ended, and why.
  returned: always
  type: str
  sample: 'not proven, rolled back: asked SSL|HYBRID, server chose PROTOCOL_RDP'
exit:
  description: How xrdpfix ended; in check mode, how it would.
  returned: when it ran
  type: dict
  contains:
    code:
      description: The exit status.
      type: int
    reason:
      description: Why, from the closed list in its schema.
      type: str
  sample: {code: 0, reason: applied}
diff:
  description: Each file before and after, as C(--diff) shows it.
  returned: when I(state=applied)
  type: list
  elements: dict
findings:
  description: What is wrong on the host, as it was found before a change.
  returned: when the host could be looked at
  type: list
  elements: dict
  sample: [{code: key-unreadable, severity: error, detail: xrdp runs as user xrdp and cannot read its private key.}]
unseen:
  description: What could not be looked at, and why.
  returned: when the host could be looked at
  type: list
  elements: str
plan:
  description: The change; C(plan.expect) is what must be true on the wire afterwards.
  returned: when the host could be looked at
  type: dict
verdict:
  description: Whether the change was proven.
  returned: when a change was made
  type: dict
  contains:
    status:
      description: C(confirmed), C(refuted) or C(unknown).
      type: str
    reasons:
      description: What proves it, or what refutes it.
      type: list
      elements: str
clients:
  description: Which clients can connect, as far as the host can see.
  returned: when the host could be looked at
  type: list
  elements: dict
  sample: [{name: clients with TLS 1.3, connects: 'yes', tls: TLS 1.3}]
served:
  description: The certificate that the port showed; after a change the one that it shows then.
  returned: when TLS was offered
  type: dict
  contains:
    sha256:
      description: Its fingerprint.
      type: str
    not_after:
      description: When it ends, in UTC.
      type: str
certificate:
  description: The certificate that was made.
  returned: when one was made
  type: dict
journal:
  description: The id of the change, for I(state=rolled_back).
  returned: when a change was made
  type: str
  sample: 20261122T152440Z
pending:
  description: The id of a change that is undone by itself unless it is confirmed; empty where none waits.
  returned: when I(state=applied)
  type: str
refused:
  description: Whether xrdpfix refused before touching anything.
  returned: always
  type: bool
absent:
  description: What the host does not have, C(xrdpfix) or C(xrdp); empty where it has both.
  returned: always
  type: str
'''

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xrdpfix.xrdp.plugins.module_utils.program import Program, reason, result

# The flags that take a value: those that a look takes too, and those of a change alone.
LOOKS = ('security_layer', 'tls_min', 'tls_max', 'profile', 'for', 'cert', 'name', 'key', 'days', 'renew_before', 'warn_days', 'ignore')
CHANGES = ('restart', 'confirm_within')
SWITCHES = ('no_rollback', 'in_place')

# What the exit codes of an apply that failed mean, in front of the reason.
FAILED = {
    3: 'left to a human',
    4: 'not proven, rolled back',
    5: 'not proven, not rolled back, or xrdp does not run',
    7: 'refused',
    130: 'interrupted',
}


def flags(params, names, switches=()):
    """The options of those names as a command line."""
    words = []
    for name in names:
        values = params[name] if isinstance(params[name], list) else [params[name]]
        words += ['--%s=%s' % (name.replace('_', '-'), value) for value in values if value is not None]
    return words + ['--' + name.replace('_', '-') for name in switches if params[name]]


def finish(module, document, **more):
    """Ends the module as the document says."""
    out = dict(result(document), refused=False, absent='')
    out.update(more)
    code, why = document['exit']['code'], document['exit']['reason']
    text = reason(document)
    if code == 7:
        out.update(refused=True, changed=False, msg='refused: %s' % text)
        if module.params['on_refused'] == 'skip':
            module.exit_json(skipped=True, skip_reason=out['msg'], **out)
        module.fail_json(**out)
    if code != 0:
        module.fail_json(msg='%s: %s' % (FAILED.get(code, why), text), **out)
    out.setdefault('msg', why)
    module.exit_json(**out)


def without(module, what, text, **more):
    """Ends the module on a host that lacks what the task is about."""
    out = dict(more, changed=False, absent=what, refused=False, msg=text)
    if module.params['missing'] == 'ignore':
        module.exit_json(skipped=True, skip_reason=text, **out)
    module.fail_json(**out)


def lacks_xrdp(module, document):
    """Ends the module where there is no xrdp."""
    if any(f['code'] == 'xrdp-missing' for f in document.get('findings') or []):
        more = result(document)
        more.pop('changed')
        without(module, 'xrdp', 'the host has no xrdp', **more)


def waiting(document):
    """The id of a change that waits to be confirmed."""
    for found in document.get('findings') or []:
        if found['code'] == 'apply-unconfirmed':
            return found.get('subject', '')
    return ''


def predicted(document, params):
    """How apply would end, from the plan that it would execute."""
    plan = document.get('plan') or {}
    refusal = plan.get('refusal')
    if 'error' in document:
        return
    if refusal and refusal['reason'] == 'live-desktops' and params['restart'] == 'when-idle':
        document.update(exit={'code': 0, 'reason': 'waiting'}, changed=False)
    elif refusal:
        document.update(exit={'code': 7, 'reason': refusal['reason']}, changed=False)
    elif document['exit']['reason'] == 'changes-due' and not any(m['severity'] == 'error' for m in plan['manual']):
        document['exit']['code'] = 0


def applied(module, program):
    """Makes the change that is due, or in check mode tells what it would be."""
    command = 'plan' if module.check_mode else 'apply'
    document = program.one(command, *flags(module.params, LOOKS + CHANGES, SWITCHES))
    lacks_xrdp(module, document)
    pending = waiting(document)
    if module.check_mode:
        predicted(document, module.params)
    elif module.params['confirm_within'] and document['changed']:
        pending = document.get('journal', '')
    finish(module, document, pending=pending)


def checked(module, program):
    """Looks and changes nothing."""
    document = program.one('check', *flags(module.params, LOOKS))
    lacks_xrdp(module, document)
    if 'error' in document:
        finish(module, document)
    out = dict(result(document), refused=False, absent='')
    module.exit_json(msg=reason(document) or document['exit']['reason'], **out)


def journal(module, program, wanted):
    """The apply that a task names, or the newest that waits."""
    document = program.one('history')
    if 'error' in document:
        finish(module, document)
    for entry in document['history']:
        if wanted and entry['id'] == wanted:
            return entry
        if not wanted and 'deadline' in entry and entry['state'] != 'rolled-back':
            return entry
    if wanted:
        module.fail_json(msg='the host has no apply %s' % wanted, refused=False, absent='')
    return None


def confirmed(module, program):
    """Keeps a change that would be undone by itself."""
    entry = journal(module, program, module.params['journal'])
    if entry and entry['state'] == 'rolled-back':
        module.fail_json(msg='the apply %s was undone already' % entry['id'], refused=False, absent='', journal=entry['id'])
    if not entry or 'deadline' not in entry:
        module.exit_json(changed=False, msg='nothing waits to be confirmed', refused=False, absent='')
    if module.check_mode:
        module.exit_json(changed=True, msg='ok', refused=False, absent='', journal=entry['id'])
    finish(module, program.one('confirm', entry['id']))


def rolled_back(module, program):
    """Puts back what an apply changed."""
    entry = journal(module, program, module.params['journal'])
    if entry['state'] == 'rolled-back':
        module.exit_json(changed=False, msg='it was put back already', refused=False, absent='', journal=entry['id'])
    if module.check_mode:
        module.exit_json(changed=True, msg='ok', refused=False, absent='', journal=entry['id'])
    words = flags(module.params, ['restart'], ['force'])
    finish(module, program.one('rollback', *(words + [entry['id']])))


def main():
    """Runs the module."""
    versions = ['1.0', '1.1', '1.2', '1.3']
    module = AnsibleModule(
        argument_spec={
            'state': {'type': 'str', 'choices': ['applied', 'checked', 'confirmed', 'rolled_back'], 'default': 'applied'},
            'security_layer': {'type': 'str', 'choices': ['negotiate', 'tls', 'rdp']},
            'tls_min': {'type': 'str', 'choices': versions},
            'tls_max': {'type': 'str', 'choices': versions},
            'profile': {'type': 'str', 'choices': ['modern', 'intermediate', 'legacy', 'declared']},
            'cert': {'type': 'str', 'choices': ['auto', 'keep', 'renew']},
            'name': {'type': 'list', 'elements': 'str'},
            'key': {'type': 'str', 'choices': ['rsa2048', 'rsa3072', 'rsa4096', 'ecdsa-p256']},
            'days': {'type': 'int'},
            'renew_before': {'type': 'int'},
            'warn_days': {'type': 'int'},
            'ignore': {'type': 'list', 'elements': 'str'},
            'restart': {'type': 'str', 'choices': ['auto', 'always', 'never', 'when-idle']},
            'confirm_within': {'type': 'str'},
            'for': {'type': 'str'},
            'no_rollback': {'type': 'bool', 'default': False},
            'in_place': {'type': 'bool', 'default': False},
            'timeout': {'type': 'str'},
            'journal': {'type': 'str'},
            'force': {'type': 'bool', 'default': False},
            'on_refused': {'type': 'str', 'choices': ['fail', 'skip'], 'default': 'fail'},
            'missing': {'type': 'str', 'choices': ['fail', 'ignore'], 'default': 'fail'},
            'program': {'type': 'str', 'default': 'xrdpfix'},
            'root': {'type': 'path'},
        },
        mutually_exclusive=[('profile', 'tls_min'), ('profile', 'tls_max'), ('confirm_within', 'for')],
        required_if=[('state', 'rolled_back', ['journal'])],
        supports_check_mode=True,
    )
    options = ['--%s=%s' % (name, module.params[name]) for name in ('timeout', 'root') if module.params[name] is not None]
    program = Program(module, module.params['program'], options)
    if program.path is None:
        without(module, 'xrdpfix', 'the host has no program %s' % module.params['program'])
    {'applied': applied, 'checked': checked, 'confirmed': confirmed, 'rolled_back': rolled_back}[module.params['state']](module, program)


if __name__ == '__main__':
    main()
