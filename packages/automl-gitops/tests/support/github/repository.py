"""A bare Git repository, and what GitHub's Git database API does with one."""

import subprocess
from pathlib import Path

PERSON = {
    "GIT_AUTHOR_NAME": "GitHub",
    "GIT_AUTHOR_EMAIL": "noreply@example.com",
    "GIT_COMMITTER_NAME": "GitHub",
    "GIT_COMMITTER_EMAIL": "noreply@example.com",
}


class GitError(Exception):
    """Git refused."""


class GitRepository:
    """Refs, commits, trees and files of a bare repository; made at ``path`` if it is not there."""

    def __init__(self, path: Path, default_branch: str = "main") -> None:
        self.path = path
        self.default_branch = default_branch
        if not path.exists():
            path.mkdir(parents=True)
            self.git("init", "--quiet", "--bare", f"--initial-branch={default_branch}")

    def git(self, *arguments: str, text: str | None = None, environment: dict[str, str] | None = None) -> str:
        """Run git in the repository; returns what it printed, without the white space around it."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=text,
            capture_output=True,
            text=True,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": str(self.path),
                **PERSON,
                **(environment or {}),
            },
        )
        if done.returncode:
            raise GitError(done.stderr.strip() or done.stdout.strip())
        return done.stdout.strip()

    def head(self, branch: str) -> str | None:
        """The commit that a branch points at, None if there is no such branch."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")
        except GitError:
            return None

    def resolve(self, name: str) -> str | None:
        """The commit that a branch or a (short) SHA names."""
        for candidate in (f"refs/heads/{name}", name):
            try:
                return self.git("rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}")
            except GitError:
                continue
        return None

    def set_branch(self, branch: str, sha: str) -> None:
        """Make or move a branch."""
        self.git("update-ref", f"refs/heads/{branch}", sha)

    def delete_branch(self, branch: str) -> None:
        """Remove a branch."""
        self.git("update-ref", "-d", f"refs/heads/{branch}")

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        return self.git("rev-parse", f"{commit}^{{tree}}")

    def message_of(self, commit: str) -> str:
        """The message of a commit."""
        return self.git("log", "-1", "--format=%B", commit).strip()

    def parents_of(self, commit: str) -> list[str]:
        """The parents of a commit."""
        return self.git("log", "-1", "--format=%P", commit).split()

    def read(self, commit: str, path: str) -> str | None:
        """The text of a file in a commit, None if it is not there."""
        done = subprocess.run(
            ["git", "cat-file", "blob", f"{commit}:{path}"], cwd=self.path, capture_output=True
        )
        return None if done.returncode else done.stdout.decode()

    def write_tree(self, base: str | None, files: dict[str, str]) -> str:
        """A tree like ``base`` with these files."""
        index = {"GIT_INDEX_FILE": str(self.path / "index.writing")}
        (self.path / "index.writing").unlink(missing_ok=True)
        if base:
            self.git("read-tree", base, environment=index)
        for path, content in files.items():
            blob = self.git("hash-object", "-w", "--stdin", text=content)
            self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", environment=index)
        return self.git("write-tree", environment=index)

    def commit_tree(self, tree: str, parents: list[str], message: str) -> str:
        """A commit of a tree."""
        options = [option for parent in parents for option in ("-p", parent)]
        return self.git("commit-tree", tree, *options, text=message)

    def commit_files(self, branch: str, files: dict[str, str], message: str) -> str:
        """Commit some files on a branch, as somebody who pushes does; returns the commit."""
        head = self.head(branch) or self.head(self.default_branch)
        tree = self.write_tree(head, files)
        sha = self.commit_tree(tree, [head] if head else [], message)
        self.set_branch(branch, sha)
        return sha

    def ahead(self, base: str, head: str) -> int:
        """How many commits of ``head`` are not in ``base``."""
        return int(self.git("rev-list", "--count", f"{base}..{head}"))

    def changed_files(self, base: str, head: str) -> list[str]:
        """Files that ``head`` changed since it left ``base``."""
        return self.git("diff", "--name-only", f"{base}...{head}").splitlines()

    def merge(self, base: str, head: str, message: str) -> str:
        """Merge branch ``head`` into branch ``base``; returns the merge commit. Raises GitError on a
        conflict.
        """
        tree = self.git("merge-tree", "--write-tree", base, head).splitlines()[0]
        parents = [self.git("rev-parse", base), self.git("rev-parse", head)]
        sha = self.commit_tree(tree, parents, message)
        self.set_branch(base, sha)
        return sha
