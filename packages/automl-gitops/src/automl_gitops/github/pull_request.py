"""Pull requests through GitHub's API: one change of one file as one pull request, and the one comment of reports."""

import os
import re
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import github
from github import Auth, Github, GithubException, InputGitTreeElement
from github.IssueComment import IssueComment
from github.PullRequest import PullRequest
from github.Repository import Repository
from requests.exceptions import RequestException, RetryError
from urllib3.util.retry import Retry

from automl_gitops.kernel import workflow_step
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.signature import run_url

Part = TypeVar("Part")
DEFAULT_API = "https://api.github.com"
_NEEDS = (
    "the token needs `contents: write` and `pull-requests: write`, and Settings > Actions > General must let "
    "Actions create pull requests"
)
# What PyGithub ends in where an answer has another form than GitHub documents, and what reading JSON by itself does.
_OF_PYGITHUB = (AssertionError, AttributeError, RecursionError, ValueError, github.BadAttributeException)
_OF_JSON = (LookupError, TypeError)


@dataclass(frozen=True)
class Proposed:
    """The pull request, and whether anything about it had to be changed."""

    number: int
    url: str
    changed: bool


class Host:
    """A repository on GitHub. ``base`` is its default branch as it was when this was made."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.branch = repository.default_branch
        self._head = _part(repository.get_git_ref(f"heads/{self.branch}").object).sha

    @classmethod
    def connect(cls, name: str) -> "Host | None":
        """The repository that the environment names (``name`` where it does not); `None` without a token."""
        there = repository(name)
        if there is None:
            return None
        with explained(f"read {there.full_name}"):
            return cls(there)

    def read(self, path: str, ref: str = "") -> str | None:
        """The text of a file on the default branch (or at ``ref``), `None` where there is none."""
        with explained(f"read {path}"):
            try:
                content = self._repository.get_contents(path, ref=ref or self._head)
            except github.UnknownObjectException:
                return None
            if isinstance(content, list):
                raise UserError(f"{path} is a folder in {self._repository.full_name}, and has to be a file")
            try:
                return content.decoded_content.decode()
            except UnicodeDecodeError:
                raise UserError(
                    f"{path} is not UTF-8 in {self._repository.full_name}: save it as UTF-8"
                ) from None

    def propose(self, branch: str, path: str, text: str, title: str, body: str) -> Proposed:
        """Bring about one open pull request from ``branch`` whose one change is this text; nothing where it
        is there.
        """
        moved = self._bring_branch(branch, path, text, title)
        with explained(f"open a pull request for {branch}"):
            pull = self._open_pull(branch)
            if pull is None:
                made = self._repository.create_pull(base=self.branch, head=branch, title=title, body=body)
                return Proposed(made.number, made.html_url, changed=True)
            edited = pull.title != title or _lines(pull.body) != _lines(body)
            if edited:
                pull.edit(title=title, body=body)
            return Proposed(pull.number, pull.html_url, changed=moved or edited)

    def pull_request_of(self, commit: str) -> tuple[int, str] | None:
        """Number and address of the merged pull request that brought a commit, `None` where none did."""
        with explained(f"look up the pull request of {commit[:12]}"):
            pulls = list(self._repository.get_commit(commit).get_pulls())
            # One that is open, or was closed without a merge, may hold the commit too.
            merged = [pull for pull in pulls if pull.merged_at]
        return (merged[0].number, merged[0].html_url) if merged else None

    def _bring_branch(self, branch: str, path: str, text: str, message: str) -> bool:
        with explained(f"write {path} to branch {branch}"):
            try:
                reference = self._repository.get_git_ref(f"heads/{branch}")
            except github.UnknownObjectException:
                reference = None
            if reference and self._is_right(_part(reference.object).sha, path, text):
                return False
            # One new commit on the default branch, and only then the branch: a branch that for a moment had
            # nothing to merge would close its pull request.
            base = self._repository.get_git_commit(self._head)
            element = InputGitTreeElement(path, "100644", "blob", content=text)
            tree = self._repository.create_git_tree([element], base_tree=base.tree)
            commit = self._repository.create_git_commit(message, tree, [base])
            if reference:
                reference.edit(commit.sha, force=True)
            else:
                self._repository.create_git_ref(f"refs/heads/{branch}", commit.sha)
            return True

    def _is_right(self, sha: str, path: str, text: str) -> bool:
        """Whether a commit has the text and no other change, and still has something to merge."""
        if self.read(path, sha) != text:
            return False
        compared = self._repository.compare(self._head, sha)
        return compared.ahead_by > 0 and [one.filename for one in compared.files] == [path]

    def _open_pull(self, branch: str) -> PullRequest | None:
        head = f"{_part(self._repository.owner).login}:{branch}"
        return next(iter(self._repository.get_pulls(state="open", head=head, base=self.branch)), None)


def repository(name: str, *, repeats_posts: bool = False) -> Repository | None:
    """The repository that the environment names (``name`` where it does not); `None` without a token.

    After a failure of GitHub's own a request is sent again; one that makes something only with ``repeats_posts``, since
    the first one may have made it.
    """
    token = os.environ.get("GITHUB_TOKEN", "")
    if not token:
        return None
    name = os.environ.get("GITHUB_REPOSITORY") or name
    connection = Github(
        auth=Auth.Token(token),
        base_url=os.environ.get("GITHUB_API_URL") or DEFAULT_API,
        timeout=30,
        retry=Retry(
            total=3,
            backoff_factor=0.5,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=None if repeats_posts else Retry.DEFAULT_ALLOWED_METHODS,
        ),
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    with explained(f"read {name}"):
        return connection.get_repo(name)


def _part(value: Part | None) -> Part:
    """What an answer of GitHub's always has. Raises `LookupError` for an answer without."""
    if value is None:
        raise LookupError
    return value


def _lines(text: str | None) -> list[str]:
    """A text as GitHub may have changed it: other line ends, no white space around."""
    return (text or "").strip().splitlines()


@contextmanager
def explained(action: str, needs: str = _NEEDS) -> Iterator[None]:
    """GitHub's errors as one sentence each; ``action`` completes "cannot", ``needs`` says what rights that
    takes.
    """
    try:
        yield
    except github.BadCredentialsException:
        raise UserError(
            f"cannot {action}: GitHub does not accept GITHUB_TOKEN; make a new one, or unset it to work "
            "without "
            "GitHub"
        ) from None
    except github.UnknownObjectException:
        raise UserError(
            f"cannot {action}: GitHub has no such thing, or the token may not see it; check "
            "GITHUB_REPOSITORY, "
            f"and that {needs}"
        ) from None
    except GithubException as error:
        # GitHub says so by 403 or 429 (REST API, "Rate limits"); PyGithub tells the first kind alone.
        if isinstance(error, github.RateLimitExceededException) or error.status == 429:
            raise RunError(
                f"cannot {action}: GitHub's rate limit is used up ({reason(error)}); run it again later"
            ) from None
        hint = f"; {needs}" if error.status in (403, 422) else ""
        raise RunError(f"cannot {action}: GitHub answered {error.status} ({reason(error)}){hint}") from None
    except (*_OF_PYGITHUB, *_OF_JSON) as error:
        if not isinstance(error, _OF_JSON) and not _is_of_pygithub(error):
            raise
        raise RunError(
            f"cannot {action}: what answers is no API of GitHub's ({type(error).__name__}); check GITHUB_API_URL, then "
            "run the command again"
        ) from error
    except RetryError as error:
        raise RunError(
            f"cannot {action}: GitHub fails again and again ({_last_words(error)}); run the command again later"
        ) from None
    except RequestException as error:
        raise RunError(
            f"cannot {action}: GitHub does not answer ({type(error).__name__}); check GITHUB_API_URL and "
            "the network, "
            "then run the command again"
        ) from None


def _is_of_pygithub(error: Exception) -> bool:
    """Whether PyGithub came to it, in a call of this package: no mistake that is made here."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = max((place for place, name in enumerate(modules) if name.startswith("automl_gitops.")), default=-1)
    return any(name.partition(".")[0] == github.__name__ for name in modules[ours + 1 :])


def _last_words(error: RetryError) -> str:
    """The end of what urllib3 says, `too many 503 error responses`."""
    return str(error).rsplit("(", 1)[-1].strip("()'\"")


def reason(error: GithubException) -> str:
    """What GitHub says about an error, its details included."""
    data = error.data if isinstance(error.data, dict) else {}
    listed = data.get("errors")
    errors = listed if isinstance(listed, list) else []
    details = [str(item.get("message", "")) for item in errors if isinstance(item, dict)]
    return "; ".join(filter(None, [str(data.get("message") or error.data), *details]))


MARKER = "<!-- report of this project's pull request workflow -->"
MOST_CHARACTERS = 65_000  # GitHub takes 65,536
NUMBER = "PULL_REQUEST"
_FOLDED = "<details>"
_CUT = "\n\n(cut: the whole report is in the run's summary)\n"
_COMMENT_NEEDS = "the job needs `pull-requests: write`"


@dataclass(frozen=True)
class Commented:
    """The comment's address, "" where there was nobody to show it to, and whether it had to be changed."""

    url: str
    changed: bool
    text: str


def comment(default_repository: str, files: Sequence[Path]) -> Commented:
    """Put the reports into the run's summary and into the one comment of the pull request.

    A report that its step did not write is said to be missing. Without GITHUB_TOKEN (a fork's pull request)
    or PULL_REQUEST (its number) there is the summary alone. Raises `UserError` or `RunError`.
    """
    number = _number()
    reports = [_read(file) for file in files]
    text = compose(reports, run_url())
    workflow_step.append_summary("\n\n".join(reports))
    host = repository(default_repository) if number else None
    if host is None or number is None:
        return Commented("", changed=False, text=text)
    with explained(f"comment on pull request {number}", _COMMENT_NEEDS):
        issue = host.get_issue(number)
        marked = [one for one in issue.get_comments() if (one.body or "").startswith(MARKER)]
        login = _login(host) if marked else ""
        ours = next((one for one in marked if _is_by(one, login)), None)
        if ours is None:
            return Commented(issue.create_comment(text).html_url, changed=True, text=text)
        changed = ours.body.splitlines() != text.splitlines()
        if changed:
            ours.edit(text)
        return Commented(ours.html_url, changed=changed, text=text)


def compose(reports: Sequence[str], run: str) -> str:
    """The comment: what the reports say at once, then everything that they fold away."""
    short, folded = zip(*(_split(report) for report in reports), strict=True)
    link = f"\n\n[The run]({run})" if run else ""
    top = f"{MARKER}\n" + "\n\n".join(filter(None, short))
    below = "\n\n".join(filter(None, folded))
    text = f"{top}\n\n{below}".rstrip() + link + "\n"
    if len(text) <= MOST_CHARACTERS:
        return text
    room = MOST_CHARACTERS - len(_CUT) - len(link)
    # The short part alone fits: a report that was cut within its folded part would leave a fold open.
    kept = top if len(top) <= room else top[:room]
    return kept + _CUT + link + "\n"


def _split(report: str) -> tuple[str, str]:
    place = report.find(_FOLDED)
    return (report, "") if place < 0 else (report[:place].rstrip(), report[place:].rstrip())


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return f"### {file.stem.capitalize()}\n\n:x: There is no report: this step failed, its log says why."


def _login(host: Repository) -> str:
    """Whose token it is; "" for a workflow's or an app's, which GitHub does not tell (REST API, "Get the authenticated
    user").
    """
    try:
        return str(host.requester.requestJsonAndCheck("GET", "/user")[1]["login"])
    except GithubException as error:
        if error.status not in (401, 403, 404):
            raise
        return ""


def _is_by(one: IssueComment, login: str) -> bool:
    """Whether a comment is this token's: anybody may write one that begins like ours."""
    user: Any = _part(one.user)
    return user.login == login if login else user.type == "Bot"


def _number() -> int | None:
    text = os.environ.get(NUMBER, "").strip()
    if text and not re.fullmatch(r"[1-9]\d*", text):
        raise UserError(f"{NUMBER} = {text!r} is no number of a pull request: write such as 12, or unset it")
    return int(text) if text else None
