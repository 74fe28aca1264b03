"""Training: tiny models learn, come back, repeat themselves to the last bit, and say what is wrong with their data."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from deidlab.checkpoints import Checkpoint, load_checkpoint
from deidlab.decoding import Decoder
from deidlab.evaluation import evaluate
from deidlab.models import Backbone
from deidlab.systems.checkpoint import CheckpointSystem
from deidlab.training import LengthBatches, TrainingResult, encode_training, save_atomically, train
from deidlab.types import ConfigError, DataError, Document, Losses, Span

FAMILIES = ("bert", "roberta", "longformer", "deberta")
QUICK = {"epochs": 1, "learning_rate": 1e-3, "batch_tokens": 256, "precision": "fp32", "device": "cpu"}


@pytest.fixture
def quick(untrained, obvious_notes, tmp_path):
    """Train a tiny BERT for a moment; every argument may be given."""

    def trained(documents=None, validation=(), checkpoint=None, folder="run", **settings) -> TrainingResult:
        return train(
            checkpoint or untrained(),
            obvious_notes(12) if documents is None else documents,
            validation,
            folder=tmp_path / folder / "checkpoint",
            **{"losses": Losses(), **QUICK, **settings},
        )

    return trained


def weights(checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in checkpoint.model.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(value, b[name]) for name, value in a.items())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_twenty_obvious_notes_and_comes_back(
    family, untrained, obvious_notes, tiny_labels, tmp_path
):
    notes = obvious_notes(20)
    settings = {**QUICK, "epochs": 14, "learning_rate": 1e-2, "batch_tokens": 128}
    result = train(untrained(family), notes, notes, folder=tmp_path / "run" / "checkpoint", losses=Losses(), **settings)
    best = max(row["validation_strict_f1"] for row in result.history)
    assert best >= 0.9, [row["validation_strict_f1"] for row in result.history]
    judged = evaluate(CheckpointSystem(load_checkpoint(tmp_path / "run"), precision="fp32"), notes, tiny_labels)
    strict = next(row for row in judged.rows() if row["metric"] == "strict" and row["label"] == "micro")
    assert strict["f1"] == best, "what evaluation sees is not what chose the checkpoint"


def test_same_seed_same_weights_and_history_another_seed_others(quick, obvious_notes):
    validation = obvious_notes(4, seed=9, prefix="v")
    first, again = (quick(validation=validation, folder=name, epochs=2) for name in ("a", "b"))
    assert same(weights(first.checkpoint), weights(again.checkpoint))
    assert first.history == again.history
    other = quick(validation=validation, folder="c", epochs=2, seed=7)
    assert not same(weights(first.checkpoint), weights(other.checkpoint))


def test_vectors_of_subwords_that_no_note_holds_stay_unless_notes_are_rewritten(quick, untrained, obvious_notes):
    checkpoint, notes = untrained(), obvious_notes(2)
    before = checkpoint.model.get_input_embeddings().weight.detach().clone()
    held = {i for one in checkpoint.encoder.encode(notes) for i in one.input_ids.tolist()}
    others = sorted(set(range(len(before))) - held.union(*checkpoint.encoder.frame))
    assert held and others

    def learnt(folder, **settings):
        table = quick(
            notes, folder=folder, weight_decay=0.5, epochs=3, **settings
        ).checkpoint.model.get_input_embeddings()
        assert type(table) is torch.nn.Embedding
        return table.weight

    after = learnt("a", checkpoint=checkpoint)
    assert torch.equal(after[others], before[others])
    assert not torch.equal(after, before)
    assert torch.equal(after, checkpoint.model.get_input_embeddings().weight), "the model itself has its table again"
    rewritten = learnt("b", augmentation={"share": 1.0, "noise": {"typos": 0.1}})
    assert not torch.equal(rewritten[others], before[others])


def test_accumulation_equals_one_large_batch(quick, untrained):
    # One window a note, all of the same length, but with one or four labelled words: a mean of means would differ.
    full = "Mr Smith aged 54"
    notes = [
        Document(f"n{i}", full if i % 2 else "O'Neil", (Span(3, 8, "PATIENT"),) if i % 2 else (Span(0, 6, "PATIENT"),))
        for i in range(8)
    ]
    encoder = untrained().encoder
    longest = max(len(one.input_ids) for one in encoder.encode(notes))
    whole = quick(notes, batch_tokens=8 * longest, folder="whole", clip=1e9)
    parts = quick(notes, batch_tokens=2 * longest, accumulation=99, folder="parts", clip=1e9)
    assert whole.history[-1]["step"] == parts.history[-1]["step"] == 1
    assert whole.history[-1]["loss"] == pytest.approx(parts.history[-1]["loss"], rel=1e-5)
    moved = weights(parts.checkpoint)
    for name, value in weights(whole.checkpoint).items():
        assert torch.allclose(value, moved[name], atol=2e-4), name


def test_training_stops_when_validation_does_not_get_better_and_keeps_the_best(quick, obvious_notes, tmp_path):
    result = quick(validation=obvious_notes(4, 9), epochs=50, learning_rate=1e-12, patience=3)
    scores = [row["validation_strict_f1"] for row in result.history]
    assert len(scores) < 50
    assert max(scores[:-3]) >= max(scores[-3:])
    kept = evaluate(
        CheckpointSystem(result.checkpoint, precision="fp32"), obvious_notes(4, 9), result.checkpoint.labels
    )
    assert next(row["f1"] or 0.0 for row in kept.rows() if row["metric"] == "strict") == max(scores)


def test_max_steps_ends_training_there_and_validates(quick, obvious_notes):
    result = quick(validation=obvious_notes(3, 9), epochs=10, batch_tokens=64, max_steps=3)
    assert [row["step"] for row in result.history] == [3]
    assert result.history[0]["validation_strict_f1"] is not None


def test_validations_per_epoch(quick, obvious_notes):
    result = quick(validation=obvious_notes(3, 9), batch_tokens=64, validations_per_epoch=3)
    assert len(result.history) == 3
    assert [row["epoch"] for row in result.history][-1] == 1.0


def test_without_validation_the_last_weights_are_kept(quick, tmp_path):
    result = quick(epochs=2)
    assert [row["validation_strict_f1"] for row in result.history] == [None, None]
    assert same(weights(result.checkpoint), weights(load_checkpoint(tmp_path / "run")))
    one = quick(epochs=1, folder="one")
    assert not same(weights(one.checkpoint), weights(result.checkpoint))


def test_a_share_of_what_was_learnt_is_kept_and_word_embeddings_stay(quick, untrained):
    words = "bert.embeddings.word_embeddings.weight"
    before, learnt = weights(untrained()), weights(quick(folder="all", freeze_words=True).checkpoint)
    kept = weights(quick(folder="half", freeze_words=True, blend=0.5).checkpoint)
    assert torch.equal(learnt[words], before[words])
    assert not torch.equal(learnt["classifier.weight"], before["classifier.weight"])
    for name, value in kept.items():
        assert torch.allclose(value, (before[name] + learnt[name]) / 2, atol=1e-6), name


def test_what_replayed_notes_need_moves_less(quick, untrained, obvious_notes):
    before = weights(untrained())
    replay = {"replay": obvious_notes(6, seed=5, prefix="r"), "replay_share": 0.3}

    def moved(protect: float) -> float:
        after = weights(quick(folder=f"by {protect}", protect=protect, **replay).checkpoint)
        return sum(float((after[name] - value).norm()) for name, value in before.items())

    assert moved(200.0) < 0.8 * moved(0.0)
    with pytest.raises(ConfigError, match=r"training\.protect=0"):
        quick(protect=5.0, folder="nothing to ask")


def test_nothing_to_train_on_is_an_error(quick):
    with pytest.raises(DataError, match=r"no training documents.*data.splits.train"):
        quick([])
    with pytest.raises(DataError, match="hold no span of any type"):
        quick([Document("a", "the patient was seen"), Document("b", "")])


@pytest.mark.parametrize("keep_empty", [1.0, 0.0])
def test_spans_that_no_subword_can_carry_leave_nothing_to_learn(quick, keep_empty, tmp_path):
    only_a_blank = Document("a", "the patient was seen", (Span(3, 4, "PATIENT"),))
    with pytest.raises(DataError, match="nothing can be learned"):
        quick([only_a_blank], keep_empty=keep_empty)


@pytest.mark.parametrize("setting", ["epochs", "batch_tokens", "accumulation", "validations_per_epoch", "max_steps"])
def test_a_count_below_one_is_refused(quick, setting):
    with pytest.raises(ConfigError, match=setting):
        quick(**{setting: 0})


def test_a_loss_that_is_not_finite_is_an_error_and_says_what_to_lower(quick):
    with pytest.raises(DataError, match=r"not finite at epoch .* lower training.learning_rate"):
        quick(epochs=8, learning_rate=1e20, clip=1e30, warmup=0.0, batch_tokens=64)


def test_a_label_missing_from_train_is_counted(quick):
    losses = Losses()
    quick([Document("a", "Mr Smith", (Span(3, 8, "PATIENT"),))], losses=losses)
    missing = {row["label"] for row in losses.rows() if row["reason"] == "not_in_train"}
    assert missing == {"DOCTOR", "AGE", "DATE"}


def test_what_training_could_not_represent_is_counted(quick):
    losses = Losses()
    note = Document("a", "Smithson 54", (Span(0, 5, "PATIENT"), Span(0, 11, "AGE")))
    quick([note], losses=losses)
    counted = {(row["reason"], row["label"]) for row in losses.rows()}
    assert {("inside_word", "PATIENT"), ("overlap", "PATIENT")} <= counted


def test_the_checkpoint_is_replaced_whole(untrained, tmp_path, monkeypatch):
    """Whatever happens while a checkpoint is written, the one before it can still be loaded."""
    folder = tmp_path / "checkpoint"
    first, second = untrained(seed=1), untrained(seed=2)
    save_atomically(first, folder)

    def full_disk(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(second.encoder.tokenizer, "save_pretrained", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_atomically(second, folder)
    assert same(weights(load_checkpoint(folder)), weights(first))
    monkeypatch.undo()
    save_atomically(second, folder)
    assert same(weights(load_checkpoint(folder)), weights(second))
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]


def test_keep_empty_is_the_share_of_windows_without_a_span_that_an_epoch_visits(untrained, obvious_notes):
    empty = [Document(f"e{i}", "the patient was seen for chest pain") for i in range(20)]
    windows = encode_training(untrained(), [*obvious_notes(10), *empty], Losses())
    full = {i for i, window in enumerate(windows) if (window.labels > 0).any()}

    def visited(share: float, epoch: int) -> set[int]:
        plan = LengthBatches(windows, 256, seed=0, keep_empty=share).plan(epoch)
        return {i for batch in plan for i in batch}

    assert len(visited(1.0, 1)) == len(windows)
    assert visited(0.0, 1) == full
    half = [visited(0.5, epoch) for epoch in (1, 2)]
    assert all(full <= some and len(some - full) == 10 for some in half)
    assert half[0] != half[1], "every epoch draws its own"
    with pytest.raises(ConfigError, match=r"keep_empty is 1.5; expected a share"):
        LengthBatches(windows, 256, 0, 1.5)


def test_epochs_batch_differently_and_repeat_under_the_same_seed(untrained, obvious_notes):
    windows = encode_training(untrained(), obvious_notes(30), Losses())
    plans = [LengthBatches(windows, 128, seed).plan(epoch) for seed, epoch in ((0, 1), (0, 1), (0, 2), (1, 1))]
    assert plans[0] == plans[1] and plans[0] not in plans[2:]
    assert all(sorted(i for batch in plan for i in batch) == list(range(len(windows))) for plan in plans)


def test_the_head_may_learn_at_its_own_rate(quick, untrained):
    before = weights(untrained())
    after = weights(quick(head_learning_rate=1e-9, warmup=0.0, weight_decay=0.0).checkpoint)
    head = [name for name in before if name.startswith("classifier")]
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in head)
    assert not torch.allclose(before["bert.encoder.layer.0.output.dense.weight"],
                              after["bert.encoder.layer.0.output.dense.weight"], atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_both_schedules_train(quick, schedule):
    assert quick(schedule=schedule, epochs=2, folder=schedule).history[-1]["loss"] > 0


def test_the_history_is_plain_numbers_and_holds_no_text(quick, obvious_notes):
    result = quick(validation=obvious_notes(3, 9))
    assert json.loads(json.dumps(result.history)) == result.history
    assert all(isinstance(value, (int, float)) for row in result.history for value in row.values())
    assert result.timings["tokens"] > 0 and result.timings["tokens_per_second"] > 0


def test_a_checkpoint_trains_on(quick, obvious_notes, tmp_path, tiny_labels):
    """A run's folder is a backbone like any other: its head is kept for the same labels."""
    quick(epochs=2)
    again = Backbone(str(Path(tmp_path / "run")), max_length=64, stride=16)
    source = again.locate()
    started = Checkpoint(again.model(source, tiny_labels), again.encoder(source), Decoder(tiny_labels))
    assert same(weights(started), weights(load_checkpoint(tmp_path / "run")))
    assert quick(checkpoint=started, folder="on").history


@pytest.mark.parametrize("family", ["bert", "roberta", "longformer"])
def test_gradient_checkpointing_changes_memory_and_nothing_else(family, quick, untrained, obvious_notes):
    settings = {"validation": obvious_notes(4, 9), "epochs": 2, "batch_tokens": 128}
    whole = quick(checkpoint=untrained(family), folder="whole", **settings)
    twice = quick(checkpoint=untrained(family), folder="twice", gradient_checkpointing=True, **settings)
    assert twice.history == whole.history
    assert same(weights(twice.checkpoint), weights(whole.checkpoint))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++ on a CPU")
def test_a_compiled_model_learns_the_same_and_is_saved_as_a_plain_one(quick, tmp_path):
    plain, compiled = (quick(folder=name, epochs=2, compile=name == "compiled") for name in ("plain", "compiled"))
    assert compiled.history[-1]["loss"] == pytest.approx(plain.history[-1]["loss"], rel=1e-3)
    assert weights(load_checkpoint(tmp_path / "compiled")).keys() == weights(plain.checkpoint).keys()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("learning_rate", -1e-3), ("head_learning_rate", 0.0), ("weight_decay", -0.1), ("warmup", 2.0), ("clip", -1.0),
     ("schedule", "step"), ("patience", 0)],
)  # fmt: skip
def test_a_rate_that_cannot_work_is_refused_before_anything_is_learnt(setting, value, quick, tmp_path):
    with pytest.raises(ConfigError, match=f"training.*{setting}"):
        quick(**{setting: value})
    assert not (tmp_path / "run").exists()


def test_replayed_windows_are_their_share_of_an_epoch_and_drawn_anew(untrained, obvious_notes):
    own, earlier = (encode_training(untrained(), obvious_notes(n, n), Losses()) for n in (30, 40))

    def replayed(share: float, epoch: int) -> set[int]:
        sampler = LengthBatches(own, 256, seed=0, replay=earlier, replay_share=share)
        return {i for batch in sampler.plan(epoch) for i in batch if i >= len(own)}

    assert len(replayed(0.25, 1)) == 10, "a quarter of forty"
    assert replayed(0.25, 1) != replayed(0.25, 2)
    assert len(replayed(0.9, 1)) == len(earlier), "no more than there are"
    assert not replayed(0.0, 1)
    with pytest.raises(ConfigError, match=r"replay.share is 1.0"):
        LengthBatches(own, 256, 0, replay=earlier, replay_share=1.0)


def test_a_model_forgets_less_where_earlier_notes_are_replayed(quick, obvious_notes, tiny_labels, tmp_path):
    """Notes of dates alone teach that nothing else is to be found; a few of the earlier ones keep the rest."""
    notes = obvious_notes(24, 5)
    dates = [Document(d.id, d.text, tuple(s for s in d.spans if s.label == "DATE")) for d in obvious_notes(24, 6, "d")]
    quick(notes, epochs=30, learning_rate=3e-3, folder="source")

    def f1_after(replay: list[Document], folder: str) -> float:
        settings = {"epochs": 8, "learning_rate": 3e-3, "replay": replay, "replay_share": 0.5}
        kept = quick(dates, checkpoint=load_checkpoint(tmp_path / "source"), folder=folder, **settings)
        rows = evaluate(CheckpointSystem(kept.checkpoint), notes, tiny_labels).rows()
        return next(r["f1"] for r in rows if (r["metric"], r["label"], r["slice"]) == ("strict", "micro", "all"))

    assert f1_after(notes, "guarded") > f1_after([], "unguarded") + 0.2


def test_few_notes_are_passed_over_until_there_are_steps_enough(quick, obvious_notes):
    few = quick(obvious_notes(4), epochs=2, min_steps=15, validate_every=10)
    assert few.history[-1]["step"] >= 15 and few.history[0]["step"] == 10
    enough = quick(obvious_notes(12), epochs=2, min_steps=1, folder="enough")
    assert enough.history[-1]["epoch"] == 2


def test_validating_every_so_many_steps_changes_nothing_that_is_learnt(quick):
    often = quick(epochs=3, folder="often", validate_every=1)
    seldom = quick(epochs=3, folder="seldom", validate_every=1000)
    assert same(weights(often.checkpoint), weights(seldom.checkpoint))
    assert len(seldom.history) == 1 < len(often.history)
