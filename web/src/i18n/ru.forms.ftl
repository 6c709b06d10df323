# ---- The form builder --------------------------------------------------------------------------------------------------

preview = Предпросмотр
preview-width = Ширина предпросмотра
preview-wide = Компьютер
preview-phone = Телефон
preview-dark = Тёмная
preview-failed = Сейчас предпросмотр не получается.
form-languages = Языки
form-language = Язык этих текстов
form-language-add = Добавить язык…
form-language-drop = Убрать: { $language }
form-language-editing = Вы пишете тексты на языке: { $language }. Пустое читается как на основном языке формы.
form-languages-hint = Посетитель получает язык страницы, иначе язык браузера.
form-fields-hint = Тяните карточку за ручку или двигайте её стрелками на клавиатуре.
form-texts = Тексты
form-title = Заголовок
form-submit = Кнопка
form-thanks = Благодарность
form-thanks-hint = Что видно после отправки. Пусто: общие слова на языке посетителя.
form-steps = Шаги
form-step = Шаг
form-step-n = Шаг { $n }
form-step-add = Добавить шаг
form-steps-start = Спрашивать по шагам
form-consent-ask = Просить согласие на обработку персональных данных
form-consent-example = Я согласен на обработку моих персональных данных
form-consent-text = На что соглашается посетитель
form-consent-url = Ссылка на полную политику
form-consent-version = Версия
form-consent-version-hint = Хранится с каждым согласием. Пусто: короткий хеш текста.
form-after = После отправки
form-makes = Форма создаёт
form-makes-lead = Контакт, диалог и лид
form-makes-conversation = Контакт и диалог
form-makes-contact = Только контакт
form-responsible-hint = Для лидов этой формы.
form-responsible-first = Кто ответит первым
form-redirect = Перейти на страницу вместо благодарности
form-redirect-hint = https://… разрешённого сайта или путь на этом сервере.
form-redirect-origins = Ещё сайты для перехода
form-redirect-origins-hint = Страницу этих сайтов может попросить и сама отправка, в поле sb_next. Enter или запятая добавляет.
form-look = Вид
form-colour = Цвет
form-theme = Тема
form-theme-auto = Как на устройстве
form-theme-light = Светлая
form-theme-dark = Тёмная
form-region = Страна телефонных номеров
form-region-hint = Две буквы, для номеров без кода страны.
form-safety = Против спама
form-safety-hint = Скрытое поле, время заполнения, что написано и как часто приходит одно и то же: всё без чужих служб. Подозрительное ждёт в «Заявках с форм»; ничего не выбрасывается.
form-moderation = Каждая заявка ждёт одобрения
form-origins = Сайты, которые могут отправлять форму
form-origins-hint = https://shop.example, https://*.shop.example или * для любых. Enter или запятая добавляет.
form-captcha = Капча другой службы
form-captcha-hint = Необязательно. Что не прошло и что пришло, пока служба недоступна, задерживается.
form-captcha-none = Нет
form-captcha-key = Ключ сайта
form-captcha-secret = Секретный ключ
form-embedding = Поставить на сайт
embed-script = Скрипт
embed-script-hint = Стоит в вашей странице, на её языке; ваши стили до неё не доходят.
embed-frame = Фрейм
embed-frame-hint = Отдельная страница внутри вашей.
embed-html = Простой HTML
embed-html-hint = Работает без скриптов. Копии продолжают работать, когда вы меняете форму.
embed-link = Ссылка
embed-link-hint = Отдельная страница. Метки кампаний в адресе сохраняются.
embed-from = На каждой странице: помнить, откуда пришёл посетитель
field-depends = по условию
field-help = Подсказка
field-help-hint = Предложение под полем.
field-placeholder = Пример в пустом поле
field-error = Если неверно или пусто
field-error-hint = Пусто: общие слова на языке посетителя.
field-formerly = Старые страницы могут присылать его как: { $names }
field-value = Начальное значение
field-show-when = Спрашивать
field-show-always = Всегда
field-show-how = Когда оно
show-filled = заполнено
show-empty = пусто
show-is = одно из
show-is-not = ни одно из
show-values = Эти значения

# ---- Judging submissions -----------------------------------------------------------------------------------------------

judge-selected = { $count ->
    [one] Выбрана { $count }
    [few] Выбраны { $count }
   *[other] Выбрано { $count }
  }
judge-all = Выбрать все
judge-one = Выбрать: { $name }
judge-spam = Спам
judge-keys = J и K двигают, X выбирает, A одобряет, R отклоняет, S — спам, U возвращает, Enter открывает.
judge-done-approve = { $count ->
    [one] Одобряем { $count }
   *[other] Одобряем { $count }
  }
judge-done-reject = { $count ->
    [one] Отклонена { $count }
   *[other] Отклонено { $count }
  }
judge-done-spam = { $count ->
    [one] { $count } отмечена как спам
   *[other] { $count } отмечено как спам
  }
judge-undo = Вернуть
judge-undone = Возвращено
judge-failed = { $count ->
    [one] { $count } не удалось решить: { $detail }
   *[other] { $count } не удалось решить: { $detail }
  }
verdict-approved = Одобрена
verdict-rejected = Отклонена
verdict-spam = Спам
verdict-by = { $verdict }: { $name }, { $at }
submission-extra = Прислано помимо полей формы
submission-extra-hint = Страницей, сделанной, когда у формы были другие поля.
consent-version = Версия { $version }
reason-honeypot = заполнено скрытое поле
reason-too_fast = отправлено за две секунды
reason-bad_time = неверные часы
reason-bad_seal = поддельная печать
reason-link_in_name = ссылка вместо имени
reason-markup = разметка
reason-links = несколько ссылок
reason-many_links = много ссылок
reason-no_client = программа не названа
reason-sales_talk = слова навязчивых предложений
reason-disguised_letters = замаскированные буквы
reason-random_name = случайное имя
reason-same_in_all_fields = одно и то же во всех полях
reason-repeated = отправлено несколько раз
reason-flood = отправляется снова и снова
reason-same_text = тот же текст от других
reason-busy_network = много отправок из одной сети
reason-captcha_missing = нет капчи
reason-captcha_failed = капча не пройдена
reason-captcha_unavailable = капча была недоступна

# ---- a chat's settings ----
blocks = Заблокированы
blocks-visitor = Посетитель
blocks-until = до { $time }
list-add = Добавить
blocks-unblock = Снова впустить

# ---- Fields, of forms and of questions before a chat ----

field-add = Добавить поле
field-new = Новое поле
field-label = Подпись
field-name = Имя
field-name-hint = Латинские буквы, цифры и _; имя в данных.
field-type = Вид
field-maps = Станет
field-maps-hint = Куда попадёт ответ.
field-options = Варианты
field-required = Обязательно
type-text = Текст
type-textarea = Длинный текст
type-email = Эл. почта
type-phone = Телефон
type-number = Число
type-select = Выбор
type-checkbox = Флажок
type-date = Дата
type-file = Файл
type-hidden = Скрытое
maps-none = Только в заявке
maps-contact-name = Имя контакта
maps-contact-email = Почта контакта
maps-contact-phone = Телефон контакта
maps-company-name = Название компании
maps-lead-title = Название лида
maps-lead-comment = Комментарий лида
maps-lead-field = Поле лида
maps-lead-field-name = Имя поля лида
submissions-sub = Что посетители прислали через формы.
submissions-empty = Заявок нет
submissions-empty-text = Как только кто-нибудь отправит форму, заявка появится здесь.
submission-approved = Одобрена: лид создан
submission-rejected = Перенесена в спам
spam-score = Оценка спама
form-address = Адрес формы
form-embed = Форма на вашей странице
form-html = Простой HTML, без скриптов
form-fields = Поля
fields-empty = Полей пока нет.

# ---- Заявки других сервисов -------------------------------------------------------------------------------------------

leads = Заявки других сервисов
leads-hint = Tilda, Elementor, Contact Form 7, Webflow, Typeform, Tally, лид-формы Meta и Google, Битрикс24 и всё, что шлёт JSON, приносят заявки сюда. Впишите этот адрес в настройки сервиса.
leads-address = Адрес для вебхуков
leads-secret = Секрет
leads-secret-hint = С ним не принимается ничего, что не докажет, что знает его: подпись Typeform, Tally или Webflow либо сам секрет: поле google_key или api_key, заголовок X-Api-Key или ?secret=… в адресе.
leads-meta = Лид-формы Meta
leads-meta-hint = Впишите проверочный токен в настройки вебхука Meta. Заявки забираются по токену страницы.
leads-meta-verify_token = Проверочный токен
leads-meta-app_secret = Секрет приложения
leads-meta-page_token = Токен страницы
leads-mapping = Что есть что
leads-mapping-hint = Известные сервисы понятны сами. Для других выберите ниже, чем является каждое значение последней заявки; остальное сохранится рядом.
leads-none = Пока ничего не пришло. Отправьте проверку из сервиса: она видна здесь 24 часа.
leads-push = Что пришло
leads-suggest = Предложить
leads-clear = Забыть всё
leads-unreadable = Это ни JSON, ни форма.
leads-maps = { $place } — это
leads-keep = — сохранить как есть —
leads-marks = Кампания
leads-number = Номер (одинаковый — та же заявка)
leads-elsewhere = Тоже сопоставлено, но в этой заявке нет:
leads-preview = Получится такая заявка
leads-test = Проверка сервиса: из неё ничего не создаётся.
leads-reach = Связь
channel-of-line = Любой на той же линии

# ---- Notifications of forms ---------------------------------------------------------------------------------------------

form-notifications = Уведомления
form-notifications-hint = Кому сообщать о каждой принятой заявке: что заполнено и откуда пришли. О задержанных не сообщается, пока их не одобрят.
notify-mail = Почта
notify-telegram = Telegram
notify-webhook = Вебхук
notify-drop = Убрать это уведомление
notify-mail-channel = Отправлять с
notify-telegram-channel = Бот
notify-mail-none = Почтового канала пока нет: добавьте его в разделе «Каналы».
notify-telegram-none = Канала Telegram пока нет: добавьте его в разделе «Каналы».
notify-channel-choose = Выберите канал…
notify-language = Язык
notify-language-own = Язык формы
notify-mail-to = Адреса
notify-mail-to-hint = Каждому уходит отдельное письмо.
notify-telegram-to = Чаты
notify-telegram-to-hint = Номер чата: человека или группы (начинается с −). Бот должен состоять в группе; человек должен сначала написать боту.
notify-try = Отправить пример
notify-webhook-choose = Выберите вебхук…
notify-url = Или новый адрес
notify-url-hint = Станет вебхуком, которым пользуются только формы; его доставки видны в разделе «Вебхуки».
notify-secret = Секрет нового вебхука
notify-secret-once = Скопируйте его в другую программу сейчас: он показывается один раз.
notify-next = повтор { $time }
notified-queued = Ожидает
notified-sending = Отправляется
notified-sent = Отправлено
notified-failed = Не отправлено
notified-uncertain = Возможно, отправлено

# ---- Как используется форма -------------------------------------------------------------------------------------------

use = Как её заполняют
use-days = Время
use-last = Последние { $n } дней
use-views = Увидели
use-starts = Начали
use-completions = Отправили
use-left = Где уходят начавшие
use-elsewhere = В другом месте
use-hint = Считают страница и скрипт самой формы, не различая посетителей. Копии в виде HTML и программы не считаются.
