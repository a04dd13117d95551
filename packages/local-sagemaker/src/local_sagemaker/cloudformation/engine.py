"""Brings stacks about: create, update and delete, each with its way back.

One resource after the other, each after those it needs; the service works on several at once, which whoever
waits for the end does not notice. Statuses, their order and reasons are the service's.
"""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass, replace

from local_sagemaker.bridge import AWSError
from local_sagemaker.cloudformation.functions import evaluate
from local_sagemaker.cloudformation.stacks import Resource, Stack, Wanted, now
from local_sagemaker.cloudformation.template import order
from local_sagemaker.cloudformation.worker import Failed, Stopped, Worker, kind_of, text_of

log = logging.getLogger("local_sagemaker.cloudformation")


@dataclass
class Step:
    """One change of an update that has been made: how it was before (None: not there)."""

    logical_id: str
    before: Resource | None
    replaced: bool = False


class Engine:
    """Works on one stack with the rights of ``credentials``."""

    def __init__(self, stack: Stack, credentials: dict[str, str]) -> None:
        self.stack = stack
        self._worker = Worker(stack, credentials)

    def create(self, wanted: Wanted) -> None:
        """From nothing to CREATE_COMPLETE, or back to ROLLBACK_COMPLETE."""
        stack = self.stack
        stack.wanted = wanted
        try:
            for logical_id in self._order(wanted):
                self._worker.create(logical_id, wanted)
            stack.publish(wanted)
        except (Stopped, AWSError) as failure:
            self._undo_creation(text_of(failure))
        else:
            stack.turn("CREATE_COMPLETE")

    def adopt(self, wanted: Wanted, identifiers: dict[str, dict[str, str]]) -> None:
        """To IMPORT_COMPLETE with resources that exist, or to IMPORT_ROLLBACK_COMPLETE without any."""
        stack = self.stack
        stack.wanted = wanted
        try:
            for logical_id in self._order(wanted):
                self._worker.adopt(logical_id, wanted, identifiers[logical_id])
        except (Stopped, AWSError) as failure:
            stack.turn("IMPORT_ROLLBACK_IN_PROGRESS", text_of(failure))
            stack.resources.clear()
            stack.turn("IMPORT_ROLLBACK_COMPLETE")
        else:
            stack.turn("IMPORT_COMPLETE")

    def update(self, wanted: Wanted) -> None:
        """To UPDATE_COMPLETE, or back to UPDATE_ROLLBACK_COMPLETE."""
        stack, before = self.stack, self.stack.wanted
        steps: list[Step] = []
        try:
            names = self._order(wanted)
            for logical_id in names:
                self._change(logical_id, wanted, before, steps)
            stack.publish(wanted)
        except (Stopped, AWSError) as failure:
            stack.turn("UPDATE_ROLLBACK_IN_PROGRESS", text_of(failure))
            self.roll_back(steps, before or wanted)
            return
        stack.wanted = wanted
        stack.turn("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [r for name, r in stack.resources.items() if name not in names]
        replaced = [s.before for s in steps if s.replaced and s.before]
        for resource in replaced:
            self._clean_up(resource, resource.body.get("UpdateReplacePolicy") == "Retain")
        for resource in _reversed(gone):
            self._clean_up(resource, _is_kept(resource))
            stack.resources.pop(resource.logical_id)
        stack.turn("UPDATE_COMPLETE")

    def roll_back(self, steps: list[Step], before: Wanted, skipped: tuple[str, ...] = ()) -> None:
        """Undo ``steps``, the last first; what cannot be undone is kept for ContinueUpdateRollback."""
        stack, made = self.stack, []
        while steps:
            step = steps[-1]
            current = stack.resources.get(step.logical_id)
            if step.before is None or step.replaced:
                made += [current] if current and current is not step.before else []
                stack.resources.pop(step.logical_id, None)
                if step.before:
                    stack.resources[step.logical_id] = step.before
            elif current and step.logical_id not in skipped:
                try:
                    self._worker.update(current, step.before.properties, step.before.body, before.tags)
                except Stopped as failure:
                    stack.unfinished = (steps, before)
                    stack.turn("UPDATE_ROLLBACK_FAILED", text_of(failure))
                    return
            steps.pop()
        stack.unfinished = None
        stack.turn("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        for resource in made:
            self._clean_up(resource, _is_kept(resource, creating=True))
        stack.publish(before)
        stack.turn("UPDATE_ROLLBACK_COMPLETE")

    def delete(self, retained: tuple[str, ...] = ()) -> None:
        """To DELETE_COMPLETE, or DELETE_FAILED with what is in the way."""
        stack = self.stack
        failed = self._delete_all(retained)
        if failed:
            stack.turn(
                "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
            )
            return
        stack.outputs, stack.deleted = [], now()
        stack.turn("DELETE_COMPLETE")

    def _order(self, wanted: Wanted) -> list[str]:
        scope, resources = self.stack.scope(wanted), wanted.template["Resources"]
        return [n for n in order(resources) if scope.active(resources[n])]

    def _change(self, logical_id: str, wanted: Wanted, before: Wanted | None, steps: list[Step]) -> None:
        stack, body = self.stack, wanted.template["Resources"][logical_id]
        current = stack.resources.get(logical_id)
        if current is None:
            steps.append(Step(logical_id, None))
            self._worker.create(logical_id, wanted)
            return
        try:
            properties = evaluate(body.get("Properties") or {}, stack.scope(wanted))
        except AWSError as failure:
            stack.event(logical_id, current.physical_id, current.type, "UPDATE_FAILED", text_of(failure))
            raise Stopped("update", logical_id) from failure
        tags = before.tags if before else {}
        if current.type == body["Type"] and properties == current.properties and tags == wanted.tags:
            current.body = body
            return
        kind = kind_of(body["Type"])
        if current.type != body["Type"] or any(
            properties.get(name) != current.properties.get(name) for name in kind.fixed
        ):
            steps.append(Step(logical_id, current, replaced=True))
            self._worker.replace(current, body, wanted, properties)
            return
        steps.append(Step(logical_id, _copied(current)))
        self._worker.update(current, properties, body, wanted.tags)

    def _undo_creation(self, reason: str) -> None:
        stack = self.stack
        stack.turn("ROLLBACK_IN_PROGRESS", f"{reason} Rollback requested by user.")
        failed = self._delete_all((), creating=True)
        if failed:
            stack.turn(
                "ROLLBACK_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
            )
        else:
            stack.turn("ROLLBACK_COMPLETE")

    def _delete_all(self, retained: tuple[str, ...], creating: bool = False) -> list[str]:
        stack, failed = self.stack, list[str]()
        for resource in _reversed(list(stack.resources.values())):
            name = resource.logical_id
            if any(name in stack.resources[f].needs for f in failed):
                continue  # something that needs it is still there
            if name in retained or _is_kept(resource, creating):
                stack.event(name, resource.physical_id, resource.type, "DELETE_SKIPPED")
            else:
                try:
                    self._worker.remove(resource)
                except Failed:
                    failed.append(name)
                    continue
            stack.resources.pop(name)
        return failed

    def _clean_up(self, resource: Resource, kept: bool) -> None:
        if kept:
            named = (resource.logical_id, resource.physical_id, resource.type)
            self.stack.event(*named, "DELETE_SKIPPED")
            return
        try:
            self._worker.remove(resource)
        except Failed as failure:  # the service tries three times, then leaves it and goes on
            log.info("%s: %s stays: %s", self.stack.name, resource.logical_id, failure)


def _is_kept(resource: Resource, creating: bool = False) -> bool:
    policy = resource.body.get("DeletionPolicy", "Delete")
    return policy == "Retain" or (policy == "RetainExceptOnCreate" and not creating)


def _reversed(resources: list[Resource]) -> list[Resource]:
    """Each before those it needs."""
    bodies = {r.logical_id: {"DependsOn": list(r.needs)} for r in resources}
    by_name = {r.logical_id: r for r in resources}
    return [by_name[name] for name in reversed(order(bodies))]


def _copied(resource: Resource) -> Resource:
    return replace(resource, attributes=copy.copy(resource.attributes))
