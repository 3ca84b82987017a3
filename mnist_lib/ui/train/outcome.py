"""The outcome of a run: its result beside the paper and the best other run, and what to do next."""

from __future__ import annotations

import streamlit as st

from mnist_lib.config import SETTINGS
from mnist_lib.data.dataset import DatasetDescription
from mnist_lib.escaping import plain_text
from mnist_lib.runs.comparison import best_result, run_result
from mnist_lib.runs.paper import PAPER_CLAIMS
from mnist_lib.runs.records import BROKEN_STATES, RunResult, RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.session import run_store, title_of
from mnist_lib.ui.shared.continue_button import render_continue, show_continue_problem
from mnist_lib.ui.shared.handwriting_result import render_sentence
from mnist_lib.ui.train.settings_form import use_settings
from mnist_lib.wording import count_text, duration_text


def render_outcome(run: Run, snapshot: RunSnapshot) -> None:
    """Show the result of a run that is not being trained, and what can be done with it.

    Args:
        run: The run.
        snapshot: The same run as it is now.
    """
    if snapshot.state in ("damaged", *BROKEN_STATES):
        reason = plain_text(snapshot.message)
        st.warning(f"This run is {snapshot.state}: {reason}. {_advice(snapshot)}".strip(), icon=":material/warning:")
    result = run_result(run) if snapshot.state != "damaged" else None
    if result:
        _render_comparison(result, best_result(run_store(), excluding=run), snapshot.record.dataset)
    dataset, learned = snapshot.record.dataset, snapshot.record.handwriting
    if learned:
        with errors_as_messages():
            render_sentence(run)
    actions = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    with actions:
        if snapshot.last_epoch:
            screen_link("mistakes", f"Its {count_text(snapshot.last_epoch.misclassified, 'mistake')}")
            of_digits = "What it learned, and what it forgot" if learned else "Draw a digit for it"
            screen_link("draw", of_digits if dataset.is_mnist else "Draw for it")
        if run.can_continue(snapshot):
            render_continue(run, snapshot)
        if snapshot.config and not run.bundled and run_store().access.may_add:
            st.button(
                "Back to these settings",
                icon=":material/settings_backup_restore:",
                help="Fills the form with the settings of this run, to change them and start again.",
                on_click=use_settings,
                args=(snapshot.config,),
            )
    show_continue_problem()


def _advice(snapshot: RunSnapshot) -> str:
    last = snapshot.batches[-1] if snapshot.batches else None
    if last is None or last.loss is not None:
        return ""
    smaller = max(last.learning_rate / 10, SETTINGS["learning_rate"].minimum)
    return (
        "The steps were so large that the weights diverged. Go back to these settings and try a smaller "
        f"learning rate, for example {smaller:.2g}."
    )


def _render_comparison(result: RunResult, best: RunResult | None, dataset: DatasetDescription) -> None:
    st.markdown(_verdict(result, best, dataset))
    rows = {"This run": result, **({f"Best other run ({plain_text(title_of(best.run_id))})": best} if best else {})}
    columns = [
        (f"{row.test_accuracy:.2%}", f"{row.misclassified:,}", duration_text(row.train_seconds))
        for row in rows.values()
    ]
    names = list(rows)
    if dataset.is_mnist:
        columns.insert(1, (PAPER_CLAIMS.test_accuracy, PAPER_CLAIMS.misclassified, PAPER_CLAIMS.total))
        names.insert(1, "The paper")
    accuracy, misclassified, total = zip(*columns, strict=True)
    st.table(
        {
            "Run": names,
            "Test accuracy": accuracy,
            f"Misread of {dataset.test_images:,}": misclassified,
            "Total training time": total,
        },
        hide_index=True,
    )


def _verdict(result: RunResult, best: RunResult | None, dataset: DatasetDescription) -> str:
    count = dataset.test_images
    reached = f"It reads **{count - result.misclassified:,} of {count:,}** test {dataset.noun}s correctly."
    if best is None:
        return reached
    name = plain_text(title_of(best.run_id))
    fewer = best.misclassified - result.misclassified
    if fewer > 0:
        return f"{reached} **The best run here**: {count_text(fewer, 'fewer mistake')} than any other."
    if fewer == 0:
        return f"{reached} As good as the best other run, {name}."
    return f"{reached} The best run here, {name}, makes {count_text(-fewer, 'fewer mistake')}."
