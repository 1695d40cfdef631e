import pytest

from models.language import foreign_language
from models.text import prepare

CODE = "```python\nfor übung in liste:\n    drucke(übung)\n```\nint main() { return 0; }\n"
TRACE = "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\nKeyError: 'x'"


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("The app crashes on start", "Since the update it closes at once.\n" + CODE),
        ("Upload fails with a KeyError", TRACE),
        ("Error: ENOENT", "npm install\nnpm run build\nnode index.js"),
        ("Add a dark theme", ""),
        ("Crash in Übersicht view", "Opening the overview of the month crashes the whole app."),
    ],
)
def test_english_with_code_is_not_foreign(title: str, body: str):
    assert foreign_language(prepare(title, body)) is None


@pytest.mark.parametrize(
    ("code", "title", "body"),
    [
        ("de", "Die App stürzt ab", "Seit dem letzten Update schließt sie sich beim Start."),
        ("pt", "O aplicativo não abre", "Depois da atualização ele fecha sozinho ao iniciar."),
        (
            "ja",
            "アプリが起動しません",
            "更新後、起動するとすぐに閉じてしまいます。助けてください。",
        ),
        ("fr", "L'application plante", "Depuis la mise à jour, elle se ferme au démarrage."),
        ("ru", "Приложение не запускается", "После обновления оно сразу закрывается."),
        ("ar", "التطبيق لا يعمل", "بعد التحديث يغلق التطبيق نفسه عند البدء."),
    ],
)
def test_other_languages_are_named(code: str, title: str, body: str):
    assert foreign_language(prepare(title, body)) == code


def test_foreign_prose_around_english_code_is_foreign():
    body = "Beim Öffnen der Datei bekomme ich immer diese Meldung und nichts geht mehr.\n" + TRACE
    assert foreign_language(prepare("Fehler beim Öffnen", body)) == "de"


@pytest.mark.parametrize("title", ["", "😀🎉", "Bug", "v1.2.3", "Hilfe", "日本"])
def test_too_few_letters_say_nothing(title: str):
    assert foreign_language(prepare(title, "")) is None
