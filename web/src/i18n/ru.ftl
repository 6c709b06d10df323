# Общее
name = Имя
email = Эл. почта
emails = Адреса эл. почты
phone = Телефон
phones = Телефоны
phones-hint = В международном виде, например +998901234567.
password = Пароль
password-hint = Не короче 8 символов; несколько слов запомнить проще.
language = Язык
status = Состояние
created = Создано
title = Название
reason = Причина
size = Размер
error = Ошибка
attempts = Попытки
actions = Действия
settings = Настройки
general = Основное
role = Роль
now = Сейчас
load = Нагрузка
line = Линия
channel = Канал
lead = Лид
contact = Контакт
form = Форма
queue = Очередь
skills = Навыки
languages = Языки
members = Участники
operators = Операторы
messages = Сообщения
conversations = Диалоги
save = Сохранить
saved = Сохранено
saving = Сохраняем…
cancel = Отмена
create = Создать
add = Добавить
edit = Изменить
edit-item = Изменить: { $item }
delete = Удалить
deleted = Удалено
discard = Отменить изменения
done = Готово
open = Открыть
back = Назад
more = Ещё действия
menu = Меню
copy = Копировать
copied = Скопировано
download = Скачать
retry = Повторить
undo = Отменить
dismiss = Скрыть
loading = Загрузка…
load-more = Показать ещё
try-again = Попробовать снова
enabled = Вкл.
disabled = Выкл.
switched-on = Использовать
unsaved = Есть несохранённые изменения
close-window = Закрыть
skip = К содержимому
remove-item = Убрать: { $item }
move-up = Выше: { $item }
move-down = Ниже: { $item }
nothing-found = Ничего не найдено
nobody = Никто
someone = Коллега
unnamed-contact = Посетитель
all-lines = Все линии
all-statuses = Все
json-bad = Это ещё не правильный JSON.
storage-full = В браузере нет места, чтобы сохранить текст. Отправьте или скопируйте его, прежде чем уйти.

# Состояния
state-error = Не получилось
state-missing = Такого нет
state-forbidden = Нет доступа
state-forbidden-text = Если доступ нужен, обратитесь к администратору.
state-waiting = Ждёт
state-offered = Предложен
state-assigned = В работе
state-closed = Закрыт
not-found = Такой страницы нет
not-found-text = Адрес устарел или набран с ошибкой.
to-inbox = К диалогам
error-network = Сервер недоступен. Проверьте связь и попробуйте снова.
error-status = Сервер ответил ошибкой ({ $status }).
error-forbidden = На это нет прав.
error-not-found = Этого нет или больше нет.
error-conflict = Тем временем это изменил кто-то другой. Посмотрите, как обстоит дело, и повторите.
error-at-capacity = У вас уже столько диалогов, сколько позволяет ваша ёмкость.
error-too-large = Слишком большой размер.
error-unsupported-media-type = Файлы такого вида не принимаются.
error-rate-limited = Слишком много запросов. Подождите немного.
error-unauthenticated = Войдите снова.
error-validation = Некоторые поля нужно исправить.
reconnecting = Восстанавливаем связь… написанное не пропадёт.

# Вход и установка
login-title = Вход
login-submit = Войти
login-busy = Входим…
login-wrong = Неверная почта или пароль.
login-expired = Сеанс закончился. Войдите снова; написанное сохранено.
logout = Выйти
setup-title = Добро пожаловать в Switchboard
setup-text = Одна страница, и можно отвечать первому посетителю.
setup-you = Вы, первый администратор
setup-first-line = Ваша первая линия
setup-line = Название линии
setup-line-default = Поддержка
setup-line-hint = Линия — это одна очередь со своими правилами: «Поддержка», «Продажи».
setup-origin = Ваш сайт
setup-origin-hint = Например, https://shop.example; * пока разрешает любой сайт.
setup-submit = Настроить
setup-busy = Настраиваем…
setup-done = Готово
setup-done-text = У линии { $line } есть чат и форма. Вставьте эту строку перед концом страницы:
setup-snippet = Чат для вашего сайта
setup-demo = Открыть пробную страницу
setup-form = Открыть форму
setup-next = Откройте пробную страницу в другом окне, напишите что-нибудь, и это появится в ваших диалогах.
setup-open = К диалогам
setup-used = Установка уже выполнена
setup-used-text = Администратор уже есть. Просто войдите.
setup-invalid = Ссылка недействительна
setup-invalid-text = Она неполная или от прошлого запуска. Действующая ссылка напечатана там, где запущен сервер.

# Навигация
nav-label = Главное меню
nav-simulation = Моделирование
nav-imports = Импорт
sim-link = Смоделировать изменения
nav-search = Поиск
nav-contacts = Контакты
nav-companies = Компании
nav-fields = Поля
nav-leads = Лиды
nav-deals = Сделки
nav-tasks = Задачи
nav-funnel = Воронка
nav-responses = Скорость ответа
nav-pipelines = Продажи
nav-sources = Источники лидов
nav-submissions = Заявки с форм
nav-deliveries = Доставка
nav-quarantine = Карантин
nav-admin = Управление
nav-lines = Линии
nav-channels = Каналы
nav-users = Люди
nav-teams = Команды
nav-roles = Роли
nav-capacity = Ёмкость
nav-apikeys = Ключи API
nav-webhooks = Вебхуки
nav-commerce = 1С
nav-crm = CRM
nav-audit = Журнал доступа
count-conversations = диалогов
count-due = на сегодня
count-overdue = просрочено или на сегодня
account-of = Учётная запись: { $name }
profile = Профиль и настройки
theme = Тема
theme-auto = Тема как в системе
theme-light = Светлая тема
theme-dark = Тёмная тема
availability-accepting = Принимаю
availability-paused = Пауза
availability-off = Не на смене
availability-accepting-hint = приходят новые
availability-paused-hint = только свои
availability-off-hint = ничего не приходит
availability-now = Доступность: { $state }
load-title = Нагрузка и ёмкость
presence-online = в сети
presence-away = отошёл
presence-offline = не в сети
palette = Команды
palette-placeholder = Что сделать или кого найти?
palette-go = перейти
palette-company = компания
palette-deal = сделка
palette-setting = настройка
palette-conversation = этот диалог
palette-search = Искать везде «{ $query }»

# Диалоги
view-mine = Мои
view-queue = Очередь
view-all = Все открытые
view-closed = Закрытые
empty-mine = Вас никто не ждёт
empty-mine-text = Новые диалоги приходят сами, пока вы их принимаете. Можно и взять диалог из очереди.
empty-queue = Очередь пуста
empty-queue-text = Всем уже отвечают.
empty-all = Открытых диалогов нет
empty-all-text = Как только кто-нибудь напишет, диалог появится здесь.
empty-closed = Закрытых пока нет
empty-closed-text = Здесь хранятся завершённые диалоги.
filter-line = Только одна линия
list-fresh = { $count ->
    [one] { $count } новый
    [few] { $count } новых
   *[many] { $count } новых
}
typing = печатает…
draft = Черновик:
you-wrote = Вы написали:
note = Заметка
attachment = Вложение
waiting-since = ждёт
unread-count = { $count ->
    [one] { $count } непрочитанное
    [few] { $count } непрочитанных
   *[many] { $count } непрочитанных
}
priority-0 = Обычный
priority-1 = Повышенный
priority-2 = Высокий
priority-3 = Срочный
priority-label = Приоритет: { $level }
thread-none = Выберите диалог
thread-none-text = J и K листают список, ? показывает все клавиши.
conversation-with = Диалог: { $name }
conversation-gone = Этот диалог вам больше не виден.
claimed = не подтверждено
claimed-hint = Введено посетителем и не доказано.
verified = подтверждено
verified-hint = Доказано, например, подписью вашего сайта.
take = Взять
take-over = Забрать себе
take-full = Ваша ёмкость исчерпана.
take-force = Взять всё равно
close = Закрыть
reopen = Открыть снова
return = Вернуть в очередь
transfer = Передать…
tags = Метки…
why = Почему этот оператор?
snooze = Отложить
snooze-hour = На час
snooze-tomorrow = До завтра, { $time }
snooze-week = До следующей недели: { $time }
snooze-end = Вернуть сейчас
snoozed-until = отложен до { $time }
snoozed-label = отложен до
snoozed-hint = Вернётся в это время или как только посетитель напишет. До тех пор он во «Всех открытых».
snoozed-toast = Отложен до { $time }
thread-task = Новая задача…
participants = В диалоге
participant-owner = отвечает
participant-hidden = скрыто
join = Присоединиться
join-openly = Присоединиться открыто
join-hidden = Присоединиться скрыто
leave = Покинуть диалог
joined-hidden = Вы здесь скрыто: написанное увидит только команда.
write-hidden = Напишите команде…
spam = Это спам
card = Карточка контакта
closed-toast = Закрыт: { $name }
returned-toast = Возвращён в очередь
spam-toast = Отмечен как спам и закрыт
older = Более ранние сообщения
older-failed = Не загрузилось. Ещё раз
to-end = К последнему сообщению
is-typing = { $name } печатает…
is-replying = { $name } отвечает…
message-from = { $name }, { $time }
message-pending = Ваше сообщение, ещё не подтверждено
note-label = Заметка для команды
delivery-queued = В очереди
delivery-sending = Отправляется
delivery-sent = Отправлено
delivery-delivered = Доставлено
delivery-read = Прочитано
delivery-failed = Не доставлено
delivery-uncertain = Возможно, доставлено
send-again = Отправить ещё раз
pending-sending = Отправляется…
pending-waits = Ждёт связи
not-sent = Не отправлено
take-back = Изменить
show-all = Показать целиком
mail-frame = Письмо в оформлении отправителя
mail-blocked = { $count ->
    [one] Не загружено { $count } внешнее изображение.
    [few] Не загружены { $count } внешних изображения.
   *[many] Не загружено { $count } внешних изображений.
}
mail-plain = Показать текстом
mail-rich = Показать с оформлением
mail-quote-show = Показать цитату
mail-quote-hide = Свернуть цитату
mail-images-show = Загрузить изображения
mail-images-hint = Отправитель узнает, что письмо открыли.
mail-link-leads = ведёт на { $host }
mail-original = Оригинал
mail-original-title = Письмо, как оно пришло
mail-original-cut = Письмо слишком велико: загружено только начало. Целиком оно лежит в почтовом ящике.
mail-original-beginning = Показано начало, всего { $size }; чтобы увидеть остальное, скачайте файл.
mail-download = Скачать .eml
mail-forged = Вероятно, подделка.
mail-forged-text = Почтовый сервер не подтвердил, что писали с этого адреса. Прежде чем что-то делать, переспросите другим путём.
mail-genuine = Отправитель подтверждён
mail-encrypted = Зашифровано ({ $by }). Прочитать можно только с ключом получателя: скачайте оригинал.
mail-signed = Подписано ({ $by }). Подпись не проверялась.
invite-request = Приглашение
invite-cancelled = Отменено
invite-counter = Предлагают другое время
invite-accepted = Принято
invite-declined = Отклонено
invite-tentative = Возможно
invite-answered = Ответ на приглашение
invite-unnamed = Событие без названия
invite-when = Когда
invite-where = Где
invite-organizer = От кого
invite-repeats = повторяется
open-image = Открыть изображение { $name }
composer-kind = Вид сообщения
reply = Ответ
reply-to = Ответ: { $name }
reply-placeholder = Напишите ответ…
reply-takes = Отправив ответ, вы возьмёте диалог.
note-hint = Видит только ваша команда.
note-placeholder = Напишите заметку для команды…
cannot-reply = Этот канал только принимает. Можно оставить заметку или написать контакту по другому каналу.
add-note = Добавить заметку
send = Отправить
send-hint-enter = Enter отправляет, Shift+Enter — новая строка
send-hint-ctrl = Ctrl+Enter отправляет
attach = Приложить файл
uploading = Загружается { $name }
transfer-find = Найти оператора или линию
transfer-to = Кому передать
transfer-comment = Комментарий коллеге
transfer-comment-hint = Посетитель его не увидит.
transfer-silent = Не сообщать посетителю
transfer-do = Передать
transferred-toast = Передан
tags-label = Метки этого диалога
tags-hint = Enter или запятая добавляет.
why-empty = Решений маршрутизации ещё нет
why-by = Линия { $line }, версия { $version }, { $algorithm }
why-rank = место { $rank }
accept = Принять
decline = Отклонить
decline-reason = Почему? (это увидят руководители)
decline-busy = Сейчас занят
decline-topic = Не моя тема
decline-leaving = Скоро ухожу
offers = Диалоги, которые вам предлагают
offers-more = ещё { $count }
offer-announce = { $name }, { $line }: возьмёте этот диалог? Alt A — принять, Alt X — отклонить.
offer-waits = ждёт { $time }
offer-left = осталось секунд: { $count }
offer-broadcast = Спрашивают всех свободных. Диалог получит первый, кто согласится.
offer-late = Этот диалог вам больше не предлагают.
outcome-assigned = Назначен
outcome-offered = Предложен
outcome-waiting = Свободных нет, ждёт
outcome-overflow = Передан на запасную линию
outcome-off_hours = Нерабочее время
outcome-no_answer = Никто не ответил
reject-disabled = учётная запись выключена
reject-no_right = нет прав на линию
reject-not_in_queue = нет в очереди
reject-offline = не в сети
reject-away = отошёл
reject-paused = на паузе
reject-off_shift = не на смене
reject-at_capacity = ёмкость исчерпана
reject-line_limit = предел этой линии
reject-declined = отказался
reject-lapsed = не ответил вовремя
reject-missing_skill = нет нужного навыка
reject-language = не знает языка
notify-offer = Возьмёте этот диалог? ({ $line })
notify-assigned = Диалог теперь ваш ({ $line })

# Карточка
edit-contact = Изменить контакт
contact-nothing = Адреса неизвестны
history = Прежние диалоги
history-none = Других диалогов нет
lead-none = Лида нет
lead-new = Новый
lead-in_progress = В работе
lead-converted = Сконвертирован
lead-junk = Некачественный
responsible = Ответственный
source = Источник
touch-first = Первый визит
touch-last = Последний визит
touch-utm_source = Источник кампании
touch-utm_medium = Канал кампании
touch-utm_campaign = Кампания
touch-utm_term = Ключевое слово
touch-utm_content = Объявление
touch-gclid = Клик Google
touch-fbclid = Клик Facebook
touch-yclid = Клик Яндекс
touch-msclkid = Клик Microsoft
touch-gbraid = Клик Google (приложение)
touch-wbraid = Клик Google (из веба в приложение)
touch-dclid = Клик по баннеру
touch-ymclid = Клик Яндекс Маркета
touch-ttclid = Клик TikTok
touch-li_fat_id = Клик LinkedIn
touch-twclid = Клик X
touch-page_url = Страница формы
touch-page_title = Заголовок страницы
touch-at = Когда
touch-referrer = Откуда пришёл
touch-landing_page = Первая страница
touch-called_number = Набранный номер
touch-start_payload = Параметр запуска

# Поиск, контакты, лиды
search-placeholder = Искать в контактах, компаниях, лидах, сделках и сообщениях
search-start = Поиск по всему
search-start-text = Имена, адреса, номера, названия и текст сообщений; достаточно двух букв.
search-none-text = Попробуйте меньше букв или другое слово.
contacts-find = Имя, почта или телефон
contacts-empty = Контактов пока нет
contacts-empty-text = Каждый, кто напишет, сам станет контактом.
leads-find = Найти в лидах
leads-empty = Лидов пока нет
leads-empty-text = Новый контакт, который написал или заполнил форму, становится лидом, если так решают правила линии.
only-mine = Только мои
open-conversation = Диалог

# Приём и доставка
submission = Заявка
submission-accepted = Принята
submission-held = Задержана
submission-spam = Спам
approve = Одобрить
reject = Отклонить
consent = Согласие
consent-given = дано { $at }
consent-none = не дано
quarantine-sub = Что пришло, но не разобрано. Ничего не выбрасывается.
quarantine-empty = В карантине пусто
quarantine-empty-text = Всё, что пришло, удалось прочитать.
view-raw = Посмотреть
raw-title = Как пришло
replay = Разобрать снова
replayed = Принято снова
replaying = Разбираем…
replay-failed = Не получилось попробовать. Повторите чуть позже.
replay-open = Открыть диалог
replayed-at = Принято { $at }
deliveries-sub = Сообщения, которые не дошли, и те, что в пути.
deliveries-empty-failed = Всё доставлено
deliveries-empty-uncertain = Неясных случаев нет
deliveries-empty-queued = Ничего не ждёт
uncertain-explained = Связь оборвалась во время отправки: сообщение могло дойти. Уточните, прежде чем отправлять снова.
queued-again = Снова в очереди

# Линии
lines-sub = Линия — это одна очередь: её каналы, операторы и правила.
lines-empty = Линий пока нет
line-new = Новая линия
line-version = Версия { $version }
line-name-hint = Его видят операторы; посетители могут увидеть в текстах.
line-enabled = Линия включена
distribution = Распределение
distribution-even = Равномерно
distribution-even-hint = Тому, кто дольше всех не получал диалог.
distribution-least_loaded = Наименее занятому
distribution-least_loaded-hint = Тому, у кого сейчас меньше нагрузка.
distribution-strict = Строго по порядку
distribution-strict-hint = Всегда первому свободному в очереди.
distribution-all = Всем сразу
distribution-all-hint = Спрашивают всех свободных; диалог получает первый, кто согласится.
acceptance = Принятие
acceptance-automatic = Сразу
acceptance-automatic-hint = Диалог принадлежит оператору, как только подошла его очередь.
acceptance-offer = Оператор принимает
acceptance-offer-hint = Звучит звонок, оператор отвечает «да» или «нет». Если не ответил вовремя, спрашивают следующего.
offer-timeout = Время на принятие
offer-timeout-hint = Когда спросили всех, диалог идёт на запасную линию, потом ещё раз ко всем, кто не ответил; затем всё начинается заново.
seconds = секунд
limit = Предел на оператора
limit-hint = Диалогов этой линии одновременно. Пусто: считается только ёмкость.
sticky = К знакомому оператору
sticky-hint = Сначала спросить ответственного за лид, если он свободен.
sticky-grace = Ждёт его
sticky-grace-hint = Если он занят, отошёл или только что вышел, диалог ждёт его столько, потом идёт к другим.
offline = Назначать и тем, кого нет
offline-hint = Даже операторам, которых сейчас нет в сети.
match-language = Только операторам, знающим язык посетителя
required-skills = Нужные навыки
required-skills-hint = Только операторам, у которых есть все. Enter или запятая добавляет.
queue-hint = Кто отвечает на этой линии, в этом порядке.
queue-empty = В очереди никого: диалоги этой линии ждут, пока их не возьмут вручную.
queue-add = Добавить в очередь
queue-pick = Выберите оператора или команду…
queue-members = { $count ->
    [one] { $count } запись
    [few] { $count } записи
   *[many] { $count } записей
}
timers = Когда проходит время
timers-hint = Время идёт, пока линия открыта. Пусто — никогда.
return-after = Вернуть в очередь без ответа через
return-after-hint = Диалог уходит от оператора к другому, кто на месте.
overflow-line = Резервная линия
overflow-line-hint = Куда попадают диалоги, которые никто не взял вовремя.
overflow-none = Нет
overflow-after = Перевести через
sla-first = Первый ответ обещан в течение
sla-first-hint = Рабочее время с первого сообщения клиента. При равном приоритете раньше обслуживается то, чей срок ближе. Пусто: без обещания.
sla-next = Следующие ответы обещаны в течение
sla-next-hint = Рабочее время с первого сообщения, на которое ещё нет ответа.
due = до { $time }
overdue = просрочено { $time }
wall-overdue = просрочено: { $count }
auto-close-after = Закрыть, если клиент молчит
auto-close-after-hint = Отсчёт от вашего последнего ответа.
auto-close-text-hint = Пусто — ничего.
minutes = минут
automatic-message = Автоматическое сообщение
crm = Лиды
create-lead = Создавать лид
create-lead-hint = К открытому лиду контакта диалог присоединяется всегда.
create-lead-always = На каждое новое обращение
create-lead-unknown = Только для незнакомых
create-lead-never = Никогда

# Что слышат клиенты
texts = Что слышат клиенты
texts-hint = Это линия говорит сама. Переменные подставляются; слова после | звучат, когда значения нет: { "{{" }contact.name|друг{ "}}" }.
texts-languages = Языки текстов
texts-own = Основные тексты
texts-add = Добавить язык…
texts-remove = Убрать { $item }
texts-language = Язык этих текстов
texts-language-hint = На нём называется время. Клиенты с другим языком получают перевод, если он есть.
texts-language-none = Не указан
texts-translation-hint = Что не заполнено, звучит в основном тексте линии.
text-insert = Вставить переменную…
text-insert-for = Вставить переменную: { $item }
text-preview = Так увидит клиент
text-unknown = Нет переменной { $name }
text-welcome = Приветствие
text-welcome-hint = В чатах, когда клиент начинает диалог. В письмах не звучит.
text-off-hours = Текст в нерабочее время
text-off-hours-hint = Один раз за каждый перерыв в работе линии.
text-no-answer = Текст, когда никто не ответил
text-auto-close = Текст, когда клиент молчит
text-rating = Вопрос об оценке
text-rating-hint = Пусто — чат на сайте спросит своими словами, другие каналы не спросят.
variable-contact-name = Имя клиента
variable-operator-name = Имя оператора
variable-line-name = Название линии
variable-conversation-number = Номер диалога
variable-opens-at = Ближайшее открытие
variable-time-zone = Часовой пояс линии
variable-queue-position = Место в очереди
variable-wait-minutes = Сколько минут ждать
variable-form-url = Адрес формы
sample-contact = Анна
sample-operator = Борис
off-hours-action = В нерабочее время
off-hours-none = Ничего не говорить
off-hours-none-hint = Диалоги ждут открытия линии.
off-hours-text = Сказать клиенту
off-hours-text-hint = Диалоги ждут открытия линии.
off-hours-form = Предложить форму
off-hours-form-hint = С адресом веб-формы этой линии. Если её нет, звучит только текст.
off-hours-overflow = Перевести на резервную линию
off-hours-overflow-hint = На линию, выбранную выше, сразу.
no-answer-after = Если никто не ответил за
no-answer-after-hint = Время идёт, пока линия открыта и диалог ничей. Пусто — никогда.
no-answer-action = Тогда
no-answer-none = Ничего не делать
no-answer-none-hint = Диалог ждёт дальше.
no-answer-text = Сказать клиенту
no-answer-text-hint = Один раз; диалог ждёт дальше.
no-answer-form = Предложить форму
no-answer-form-hint = С адресом веб-формы этой линии. Если её нет, звучит только текст.
no-answer-callback_lead = Попросить перезвонить
no-answer-callback_lead-hint = Лид клиента, или новый, просит звонка; номера — в заметке.
no-answer-close = Закрыть диалог
no-answer-close-hint = С этим текстом. Кто напишет снова, начнёт новый.
rated = Оценка: { $rank } из 5
rating-ask = Просить оценку, когда диалог закончен
rating-ask-hint = От 1 до 5, с комментарием. Не за спам и не когда никто не ответил.

# Каналы
channels-sub = Куда пишут клиенты: сайт, почтовый ящик, форма.
channels-empty = Каналов пока нет
channel-new = Новый канал
channel-choose = Что подключить?
channel-key = Ключ
channel-key-hint = Строчные латинские буквы, цифры и дефисы; часть адреса. Пусто: создастся сам.
channel-enabled = Канал включён
channel-delete = Удалить канал?
channel-delete-text = { $name } перестанет принимать и отправлять. Канал, в котором есть диалоги, удалить нельзя: выключите его.
connector-missing = Этот сервер не умеет такие каналы
connector-email = Почтовый ящик: чтение по IMAP, ответы по SMTP
connector-telegram = Бот
connector-webchat = Окно чата на вашем сайте
connector-webform = Форма на сайте или на отдельной странице
connector-voip = Звонки телефонной системы
check-telegram_bot = Бот
check-telegram_address = Адрес для Telegram
check-telegram_updates = Сообщения
check-telegram_privacy = Группы
start-title = Ссылки с источником
start-hint = Кто откроет бота по такой ссылке, принесёт источник и кампанию в лид, а линию — в разговор.
start-source = Источник
start-campaign = Кампания
start-own-line = Линия канала
start-link = Ссылка
start-qr = Ссылка в виде QR-кода
start-save = QR-код
start-long = Telegram принимает в ссылке до 64 латинских букв, цифр, - и _. Эту можно сохранить в канале под коротким словом.
start-keep = Сохранить под коротким словом
start-no-bot = Имя бота неизвестно: почему, скажет проверка подключения.
connector-custom = Любая программа, по HTTP
check = Проверить связь
checking = Проверяем…
check-save-first = Сначала сохраните, потом проверяйте.
check-ok = Работает.
check-failed = Не работает.
health = Состояние
health-starting = Запускается
health-ok = Работает
health-degraded = С перебоями
health-failed = Не работает
health-disabled = Выключен
health-last = последняя связь { $ago } назад
secret-kept = Оставьте пустым, чтобы не менять.

# Почтовые каналы: вход, прежние письма, метки, шаги проверки
check-failed-at = Не работает: { $step }.
check-oauth = вход у провайдера
check-imap_dns = приём: имя сервера
check-imap_tcp = приём: соединение
check-imap_tls = приём: шифрование
check-imap_login = приём: вход
check-imap_folder = приём: папка
check-smtp_dns = отправка: имя сервера
check-smtp_tcp = отправка: соединение
check-smtp_tls = отправка: шифрование
check-smtp_login = отправка: вход
health-lag = отстаёт на { $lag }
sign-in-title = Вход у провайдера
sign-in-hint = Ящик открывается входом: { $provider }. Пароль здесь не хранится. Один раз зарегистрируйте там приложение, укажите адрес ниже как адрес возврата, а его client id и secret впишите в настройки.
sign-in-address = Адрес возврата для приложения
sign-in-provider = провайдер
sign-in-with = Войти: { $provider }
sign-in-again = Войти снова: { $provider }
sign-in-none = Ещё никто не вошёл: канал работать не может.
sign-in-save-first = Сначала сохраните.
signed-in = Вход выполнен
signed-in-at = Вход выполнен { $at }
signed-in-failed = Войти не удалось.
signed-in-nothing = Провайдер ничего не передал. Начните заново из канала.
backfill-title = Прежние письма
backfill-hint = Забирает письма, пришедшие до подключения канала. То, что уже есть, второй раз не попадёт.
backfill-since = Начиная с
backfill-as-new = Считать новыми
backfill-as-new-hint = Откроет диалоги в очереди и создаст лиды. Иначе письма хранятся как история, в закрытых диалогах.
backfill-start = Забрать прежние письма
backfill-stop = Остановить
backfill-waiting = С { $since }: ждём, пока канал начнёт.
backfill-running = С { $since }: просмотрено писем { $done } из { $total }.
backfill-done = Письма с { $since } забраны: просмотрено { $total }.
tag-word = Метка
tag-add = Добавить метку

# Люди
users-sub = Кто может войти и сколько может взять.
user-new = Новый человек
user-enabled = Может входить
user-enabled-hint = Если выключить, ничего не назначается и все сеансы завершаются.
password-reset = Новый пароль
password-reset-hint = Пусто: остаётся прежним.
role-operator = Оператор
role-supervisor = Старший
role-admin = Администратор
role-operator-hint = Видит свои диалоги и диалоги своих линий.
role-supervisor-hint = Видит и передаёт всё, настроек не меняет.
role-admin-hint = Может всё.
role-own-hint = То, что ей дал админ в «Ролях».
capacity = Ёмкость
capacity-hint = Чат весит 1, письмо 0,5.
languages-hint = Коды: en, ru, uz.
teams-sub = Команда может стоять в очереди линии как одно целое.
teams-empty = Команд пока нет
team-new = Новая команда
team-members = { $count ->
    [one] { $count } участник
    [few] { $count } участника
   *[many] { $count } участников
}
team-delete = Удалить команду?
team-delete-text = { $name } исчезнет из всех очередей. Участники останутся.
apikeys-sub = Для программ, которые пользуются API. Каждый ключ — отдельный пользователь.
apikeys-empty = Ключей API нет
apikey = Ключ API
apikey-new = Новый ключ API
apikey-prefix = Начинается с
apikey-name-hint = Для чего он, чтобы узнать его потом.
apikey-once = Скопируйте сейчас: больше он не будет показан.
apikey-delete = Отозвать ключ?
apikey-delete-text = Программы с ключом { $name } сразу потеряют доступ.
revoke = Отозвать

# Профиль
appearance = Вид
compact = Плотный список
notifications = Уведомления
sound = Звуки
tone-message = Новое сообщение
tone-assigned = Назначено вам
tone-queued = Новое в очереди
desktop = Уведомления на рабочем столе
desktop-allow = Разрешить уведомления
desktop-why = Только когда вы смотрите на другое, и только о ваших диалогах.
desktop-denied = Браузер не разрешает уведомления этому сайту. Это можно изменить в его настройках.
keyboard = Клавиатура
enter-sends = Enter отправляет (иначе Ctrl+Enter)
single-keys = Команды одной клавишей
password-change = Сменить пароль
password-changed = Пароль изменён
password-current = Текущий пароль
password-new = Новый пароль
shortcuts = Клавиши
key-next = Следующий диалог
key-previous = Предыдущий диалог
key-open = Открыть диалог
key-take = Взять диалог
key-accept = Принять то, что звонит
key-decline = Отклонить то, что звонит
key-close = Закрыть или открыть снова
key-reply = Написать ответ
key-note = Написать заметку
key-transfer = Передать
key-tags = Метки
key-task = Новая задача в два нажатия
key-priority = Следующий приоритет
key-unread-next = Следующий непрочитанный
key-unread-previous = Предыдущий непрочитанный
key-palette = Команды и поиск
key-search = Поиск
key-card = Показать или скрыть карточку
key-nav = Узкое или широкое меню
key-help = Эта справка
key-go-inbox = К моим
key-go-queue = К очереди
key-go-all = Ко всем открытым
key-go-contacts = К контактам
key-go-leads = К лидам
key-go-settings = К настройкам
key-send = Отправить
key-leave = Выйти из поля или окна

# Графики, перерывы, отсутствия и паузы
availability-break = Перерыв
availability-absence = Отсутствует
availability-overtime = сверх смены
availability-until = до { $at }
availability-anyway = хотя по графику нет
availability-pause-for = Пауза: { $item }
availability-pause-other = Пауза по другой причине…
pause-reason = Причина
pause-reason-hint = Её видят коллеги.
pause-do = На паузу
pause-reason-lunch = обед
pause-reason-break = короткий перерыв
pause-reason-training = обучение
pause-reason-meeting = совещание
away = Отошёл
away-after = Считать отошедшим через
away-after-hint = Если столько времени нет ни клавиш, ни мыши, новое не приходит, пока вы не вернётесь.
away-default = как на сервере ({ $count } мин)
away-minutes = { $count } мин
schedule = График
schedule-edit = Изменить график
schedule-by-hand-now = Работает без графика: смены не заданы.
schedule-now-working = На смене.
schedule-until-working = На смене до { $at }.
schedule-now-break = Перерыв.
schedule-until-break = Перерыв до { $at }.
schedule-now-off_shift = Не на смене.
schedule-until-off_shift = Не на смене.
schedule-now-absent = Отсутствует до особого распоряжения.
schedule-until-absent = Отсутствует до { $at }.
schedule-next-shift = Следующая смена: { $at } – { $time }.
schedule-next-shift-endless = Следующая смена: с { $at }.
schedule-preview = Так будет после сохранения. Время по вашим часам.
schedule-unread = В таком виде это не график: ниже что-то не так.
shifts = Смены
shift = Смена
shifts-hint = Вне смен ничего нового не приходит, что бы ни было выбрано. Кто тогда выберет «Принимаю», работает сверх смены до начала следующей.
schedule-on = Работает по сменам
schedule-on-hint = Иначе оператор сам говорит, когда работает.
time-zone = Часовой пояс
time-zone-hint = В нём заданы смены, перерывы и отсутствия, в том числе при переводе часов.
breaks = Перерывы
break = Перерыв
breaks-hint = В перерыве внутри смены оператор считается на паузе.
absences = Отсутствия
absences-hint = Целыми днями или от одного времени до другого в указанном часовом поясе. Коллеги видят, что человек отсутствует и до какого времени, но не почему. Без окончания: до особого распоряжения.
absence-begins = Начало
absence-ends = Окончание
absence-days = Целые дни
absences-none = Нет.
absence-add = Добавить отсутствие
absence-number = Отсутствие { $count }
absence-remove = Удалить отсутствие { $count }
absence-from = Первый день
absence-to = Последний день
absence-kind = Вид
absence-note = Заметка
absence-holiday = Отпуск
absence-sick = Болезнь
absence-training = Обучение
absence-other = Другое
week-from = { $item }, { $name }: с
week-to = { $item }, { $name }: до
week-add = Добавить: { $item }, { $name }
week-remove = Удалить: { $item }, { $name }
week-spread = Так же до пятницы
week-next-day = заканчивается на следующий день
leave-grace = Время на возвращение
leave-grace-hint = Столько есть у владельца отвеченного диалога, который ушёл из сети, на паузу или со смены, пока клиент ждёт ещё одного ответа. Затем диалог возвращается в очередь. Пусто: пять минут.

# Табло
nav-wall = Табло
key-go-wall = К табло
wall-waiting = ждут
wall-longest = дольше всех
wall-offered = предложено
wall-assigned = в работе
wall-accepting = принимают
wall-open = открыта
wall-open-until = открыта до { $time }
wall-opens = откроется { $time }
wall-never = не открывается
wall-in-work = в работе { $assigned }, предложено { $offered }
wall-staff-accepting = принимают: { $count }
wall-staff-away = отошли: { $count }
wall-staff-paused = на паузе: { $count }
wall-staff-off = нет: { $count }
wall-queue = Ждут
wall-since = уже { $time }
wall-person = Доступность: { $name }
wall-owed = Посетитель ждёт ответа
wall-here = вы участвуете
wall-here-hidden = вы участвуете скрыто
wall-taken = Теперь он ваш.
wall-state-accepting = Принимает
wall-state-paused = На паузе
wall-state-off = Не на смене
wall-unfold = Показать все { $count }
wall-fold = Показать меньше
wall-nobody = В очередях пока никого нет.
wall-stale = Показанное могло устареть.
wall-cut = Всё не поместилось: показано только начало.
wall-tv = На весь экран
wall-tv-end = Выйти из полного экрана

# Часы работы
hours = Часы работы
hours-hint = Вне этих часов диалоги ждут открытия линии, а таймеры стоят.
hours-always = Открыта всегда
hours-by = По неделе
hours-zone = Часовой пояс
hours-draw = Нажмите и тяните, чтобы добавить часы; тяните край, чтобы изменить; щёлкните, чтобы убрать. Для ночи тяните в следующий день.
hours-list = То же списком
hours-from = { $day }, с
hours-to = { $day }, до
hours-add = { $day }: добавить часы
hours-closed = закрыто
hours-next-day = на следующий день
hours-copy = Скопировать: { $day }
hours-copy-weekdays = С понедельника по пятницу
hours-copy-all = Каждый день
hours-added = Добавлено: { $interval }
hours-changed = Изменено: { $interval }
hours-removed = Убрано: { $interval }
hours-copied = Скопировано: { $day }
hours-undone = Отменено
hours-open = Сейчас открыта, без конца.
hours-open-until = Сейчас открыта, до: { $time }.
hours-opens = Сейчас закрыта. Откроется: { $time }.
hours-never = Сейчас закрыта и в течение года не откроется.
exceptions = Исключения
exceptions-hint = Праздники и другие дни со своими часами. Без часов линия закрыта весь день.
exception-date = Дата
exception-add = Добавить день
exception-name = Название дня { $date }
exception-placeholder = Почему, например Новый год
exception-twice = Этот день уже есть в списке.

# Очередь линии
queue-drag = Чтобы переставить строку, тяните её за ручку.
queue-handle = Переставить: { $item }, место { $place } из { $count }
queue-keys = Стрелки переставляют строку, Home и End — в начало и в конец.
queue-moved = { $item }: место { $place } из { $count }
queue-removed = { $item }: больше не в очереди

# Предупреждения о линии
warnings = Предупреждения об этой линии
warnings-count = { $count ->
    [one] { $count } предупреждение
    [few] { $count } предупреждения
   *[other] { $count } предупреждений
}
warning-serves-nobody = никого не обслужит
warning-line_disabled = Линия выключена: всё, что приходит по её каналам, ждёт включения.
warning-queue_empty = Очередь пуста: диалоги ждут, пока кто-нибудь не возьмёт их сам.
warning-queue_without_members = В командах из очереди никого нет.
warning-members_disabled = У всех в очереди выключены учётные записи.
warning-capacity_too_small = Ни у кого в очереди не хватает ёмкости даже на один диалог этой линии.
warning-capacity_too_small_for_some = Ни у кого в очереди не хватает ёмкости на то, что приносят некоторые каналы.
warning-skills_missing = Ни у кого в очереди нет всех навыков, которых требует линия.
warning-nobody_has_all = У тех в очереди, кто владеет навыками, нет ёмкости, а у остальных нет навыков.
warning-limit_zero = Предел на оператора — ноль: никто не может взять диалог этой линии.
warning-never_open = По часам линия в течение года ни разу не открывается.
warning-overflow_to_itself = Резервная линия — она сама.
warning-overflow_cycle = Резервные линии ведут по кругу обратно сюда. Диалог не возвращается на линию, где уже был: он останется на последней.
warning-overflow_to_disabled = Резервная линия выключена.
warning-overflow_without_line = Время ухода на резервную линию задано, а сама линия — нет.
warning-overflow_without_time = Резервная линия задана, а время, через которое диалоги туда уходят, — нет.
warning-off_hours_without_line = Вне часов работы диалоги должны уходить на резервную линию, а её нет.
warning-no_channel = Ни один канал не подключён: сюда ничего не придёт само.
warning-channels_disabled = Все каналы этой линии выключены: ничего не придёт.

# Почему
why-now = Кто получил бы его сейчас?
why-now-hint = Спрошено у тех же правил, по которым работает распределение. Ничего не изменено.
why-no-candidates = в очереди никого нет
why-said-strict = { $when ->
    [now] Достаётся
   *[then] Достался
}: { $name } — первый в очереди, кто может взять.
why-said-even = { $when ->
    [now] Достаётся
   *[then] Достался
}: { $name } — из тех, кто может взять, дольше всех без нового.
why-said-least_loaded = { $when ->
    [now] Достаётся
   *[then] Достался
}: { $name } — наименьшая нагрузка из тех, кто может взять.
why-said-all = { $when ->
    [now] Достаётся
   *[then] Достался
}: { $name } — наименьшая нагрузка из тех, кто может взять.
why-said-sticky = { $when ->
    [now] Достаётся
   *[then] Достался
}: { $name } — отвечает за этот контакт.
why-said-hand = { $name } — по решению человека: взят, передан или открыт снова.
why-said-nobody = Взять { $when ->
    [now] не может никто
   *[then] не мог никто
}: { $reasons }.
why-said-kept = Некоторое время { $when ->
    [now] придерживается
   *[then] придерживался
} для: { $name } — отвечает за этот контакт ({ $reasons }).
why-said-return = Его вернули в очередь.
why-said-no_reply = Ответа вовремя не было: он вернулся в очередь.
why-said-owner_left = Тот, у кого он был, ушёл: он вернулся в очередь.
why-said-offered = Операторов спрашивают, возьмут ли они его.
why-said-overflow = Он ждал слишком долго и уходит на резервную линию.
why-said-off_hours = Линия { $when ->
    [now] закрыта
   *[then] была закрыта
}: он ждёт её открытия.
why-said-no_answer = Никто не ответил: линия делает то, что ей на этот случай велено.
algorithm-sticky = ответственный оператор
algorithm-hand = вручную
algorithm-timer = таймер
trigger-conversation = новое в диалоге
trigger-operator = перемена у оператора
trigger-line = перемена у линии
trigger-sweep = регулярный обход
trigger-start = запуск сервера
trigger-take = взят
trigger-transfer = передан
trigger-return = возвращён
trigger-reopen = открыт снова
trigger-owner_left = оператор ушёл
trigger-no_reply = нет ответа вовремя
trigger-timer = прошло время
trigger-preview = спрошено сейчас

# Почему мне ничего не приходит
nothing-ask = { $self ->
    [yes] Почему мне ничего не приходит?
   *[no] Почему ничего не приходит?
}
nothing-title = { $self ->
    [yes] Почему мне ничего не приходит?
   *[no] Почему ничего не приходит: { $name }
}
nothing-disabled = { $self ->
    [yes] Ваша учётная запись выключена. Обратитесь к администратору.
   *[no] { $name }: учётная запись выключена. Включите её в разделе «Люди».
}
nothing-no_line = { $self ->
    [yes] Вас нет ни в одной очереди. Попросите администратора добавить вас в очередь линии.
   *[no] { $name }: нет ни в одной очереди. Добавьте в очередь линии.
}
nothing-offline = { $self ->
    [yes] Вы не в сети. Держите это окно открытым и проверьте соединение.
   *[no] { $name }: не в сети, Switchboard не открыт.
}
nothing-away = { $self ->
    [yes] Вы отошли: двиньте мышью или нажмите клавишу.
   *[no] { $name }: нет на месте.
}
nothing-paused = { $self ->
    [yes] Вы на паузе: переключитесь на приём.
   *[no] { $name }: на паузе. Вы можете включить приём.
}
nothing-off_shift = { $self ->
    [yes] Вы не на смене: переключитесь на приём.
   *[no] { $name }: не на смене. Вы можете включить приём.
}
nothing-at_capacity = { $self ->
    [yes] У вас столько, сколько вы можете вести: { $load } из { $capacity }. Закройте законченное или попросите больше ёмкости.
   *[no] { $name }: занято всё, { $load } из { $capacity }.
}
nothing-closed = { $self ->
    [yes] Все ваши линии сейчас закрыты или выключены.
   *[no] { $name }: все линии сейчас закрыты или выключены.
}
nothing-nothing_waits = { $self ->
    [yes] Вы готовы. На ваших линиях сейчас никто не ждёт.
   *[no] { $name }: всё готово. На линиях сейчас никто не ждёт.
}
nothing-ready = { $self ->
    [yes] Вы готовы. Что мешает, сказано ниже по каждой линии.
   *[no] { $name }: всё готово. Что мешает, сказано ниже по каждой линии.
}
nothing-accept = Включить приём
nothing-load = нагрузка { $load } из { $capacity }
nothing-waiting = { $count ->
    [0] никто не ждёт
    [one] ждёт { $count }
   *[other] ждут { $count }
}
nothing-line-disabled = Эта линия выключена.
nothing-line-closed = Эта линия закрыта. Откроется: { $time }
nothing-line-rejected = Сейчас нет: { $reason }.
nothing-line-turn = Готово, место { $rank } из { $members }; раньше { $before ->
    [one] стоит { $before } коллега, который может взять следующий
    [few] стоят { $before } коллеги, которые могут взять следующий
   *[other] стоят { $before } коллег, которые могут взять следующий
}.
nothing-line-next = { $self ->
    [yes] Готово: следующий — ваш.
   *[no] Готово: следующий придёт сюда.
}
nothing-head = Кто ждёт, по порядку
nothing-goes-to = достаётся: { $name }
nothing-kept = некоторое время ждёт ответственного
fix-at_capacity = Место появится, когда законченное будет закрыто.
fix-line_limit = На этой линии можно вести только столько: закройте один её диалог.
fix-missing_skill = Администратор может добавить навык человеку или снять требование с линии.
fix-language = Администратор может добавить язык человеку.
fix-not_in_queue = Администратор может добавить человека в очередь.

# ---- simulation ----

# Письма: адреса, подписи, шаблоны
nav-templates = Шаблоны
key-reply-all = Ответить всем
key-forward = Переслать
mail-mode = Ответ или пересылка
mode-reply = Ответить
mode-reply_all = Ответить всем
mode-forward = Переслать
mail-to = Кому
mail-cc = Копия
mail-bcc = Скрытая копия
mail-edit = Изменить получателей
mail-people = Ещё в этой переписке
mail-unanswerable = Письма на этот адрес никто не читает. Укажите другой или оставьте заметку.
mail-too-large = В пути { $size }, а канал принимает { $limit }: при отправке файлы вырастают на треть.
delivery-partly = Дошло не до всех
signature = Подпись
signature-own = Ваша подпись
signature-hint = Стоит под вашими письмами, над подписью линии.
signature-leave = Без подписи
signature-add = Вернуть подпись
line-signature = Подпись под письмами
line-signature-hint = Стоит под письмами операторов этой линии, ниже их собственной.
forwarded = Пересылаемое сообщение
forwarded-of = Сообщение: { $name }
format = Оформление
format-bold = Жирный (Ctrl+B)
format-italic = Курсив (Ctrl+I)
format-list = Список
format-quote = Цитата
format-link = Ссылка
format-link-words = ссылка
templates-sub = Тексты, которые приходится писать снова и снова. В ответе наберите / и найдёте нужный.
templates-empty = Шаблонов пока нет
templates-insert = Вставить шаблон (/)
templates-manage = К шаблонам
templates-none = Шаблонов пока нет.
templates-for = Для кого
templates-all = Все шаблоны
templates-found = { $count ->
    [one] { $count } шаблон.
    [few] { $count } шаблона.
    [many] { $count } шаблонов.
   *[other] { $count } шаблона.
}
template-shared = Для всех
template-line = Для линии
template-own = Для меня
template-new = Новый шаблон
template-shortcut = Сокращение
template-shortcut-hint = Одно слово: /спасибо найдёт шаблон сразу.
template-body = Текст
template-delete = Удалить шаблон?
template-delete-text = { $name } пропадёт у всех, кто им пользовался. Написанное останется.
# ---- mail threads ----
delivery-delayed = Задерживается
delivery-delayed-long = Задержано сервером получателя; он пробует снова
automatic-reply = Автоответ
automatic-reply-hint = Это написала машина. Сеанс не открывается, отвечать не нужно.
new-participant = Новый участник
new-participant-hint = Раньше этого человека в диалоге не было. Посмотрите, кто это, прежде чем отвечать.
message-menu = Действия с сообщением
split = Отделить отсюда в новый диалог
split-toast = Отделено: диалог #{ $item }
merge = Объединить с другим диалогом…
merge-hint = Все сообщения #{ $item } перейдут туда в порядке времени. Это можно отменить.
merge-find = Найти по имени, теме или номеру
merge-into = С каким объединить
merge-do = Объединить
merged-toast = Объединено с диалогом #{ $item }
taken-back-toast = Отменено: диалог #{ $item }
link-split-from = Отделён от #{ $item }
link-split-to = Отделён: #{ $item }
link-merged-into = Объединён с #{ $item }
link-merged-from = Включает #{ $item }
link-continues = Ответ на #{ $item }
link-continued-by = Продолжение: #{ $item }
link-undo = Отменить: #{ $item }
link-reason-stranger = Отправителя в том диалоге не было
link-reason-old = Тот диалог давно закрыт
link-reason-subject = Другая тема
address-unreachable = До этого адреса ничего не доходит:

# What counts toward the load
capacity-sub = Сколько ёмкости оператора занимает один открытый диалог. Сохранённое действует сразу.
weights = Веса
weights-hint = Оператор с ёмкостью 5 может вести пять диалогов с весом 1 или десять с весом 0,5.
weight-webchat = Чат на сайте
weight-telegram = Telegram
weight-email = Почта
weight-webform = Форма
weight-voip = Звонок
weight-custom = Другой канал
client-wait = Молчащие клиенты
client-wait-after = Диалог, который ждёт клиента, учитывается
client-wait-hint = Потом он не занимает места, пока клиент не напишет; он остаётся у своего оператора, у которого тогда на время может быть больше ёмкости. Пусто: учитывается, пока открыт.
load-resting = { $count ->
    [one] { $count } диалог ждёт клиента и не учитывается
    [few] { $count } диалога ждут клиента и не учитываются
   *[many] { $count } диалогов ждут клиента и не учитываются
}

# Who may take from the queue
may-pull = Операторы могут сами брать диалоги из очереди
may-pull-hint = Без этого их раздают только очередь и супервизоры: никто не выбирает лёгкие. Ответ на диалог тоже берёт его.
queue-gives = Этот диалог раздаёт очередь.
# Changes of messages
answer-this = Ответить на это сообщение
answering = Ответ на сообщение: { $name }
answering-stop = Не ссылаться на сообщение

buttons = Кнопки под сообщением
buttons-title = Кнопки под сообщением
buttons-ask-phone = Попросить номер телефона
buttons-ask-phone-hint = Клиент отправит свой номер одним нажатием; он считается подтверждённым. Других кнопок рядом не будет.
buttons-phone = Просьба о номере телефона
buttons-remove-all = Убрать кнопки
buttons-done = Готово
button-add = Добавить кнопку
button-remove = Убрать кнопку { $number }
button-label = Надпись на кнопке { $number }
button-label-placeholder = Надпись на кнопке
button-does = Что делает кнопка { $number }
button-answers = Отвечает своей надписью
button-opens = Открывает страницу
button-address = Страница кнопки { $number }
button-address-wrong = Адрес начинается с http:// или https://.
edited = изменено
edited-hint = Изменено { $time }. Показать, что было раньше
versions = Прежние версии
version-now = Сейчас
deleted-by-contact = Удалено клиентом
deleted-by-operator = Удалено
deleted-hint = Слова остаются здесь для вас. Клиент их не видит.
message-edit = Изменить
message-edit-hint = Клиент увидит новые слова вместо прежних.
message-edit-note-hint = Коллеги увидят новые слова вместо прежних.
message-delete = Удалить сообщение
message-delete-text = У клиента оно исчезнет. Коллеги увидят его зачёркнутым.
message-delete-note-text = Коллеги увидят его зачёркнутым.
change-queued = Изменение отправляется
change-failed = Изменение не дошло до клиента
forwarded-from = Переслано от { $name }
forwarded-plain = Переслано
missing-file = Файл { $name } не принят
show-place = Показать на карте
key-answer = Ответить на последнее сообщение
key-edit-last = Изменить своё последнее сообщение
key-delete-last = Удалить своё последнее сообщение

# Custom connector
bridge-title = Ваша программа
bridge-in = Куда она присылает сообщения
bridge-in-hint = Рядом есть …/status и …/typing. Подпись по Standard Webhooks.
bridge-secret = Секрет
bridge-secret-once = Скопируйте его сейчас и передайте программе: он показывается один раз.
bridge-rotate = Новый секрет
bridge-rotate-text = Программа должна подписывать новым секретом. Прежний пока действует:
bridge-overlap-day = ещё сутки
bridge-overlap-week = ещё неделю
bridge-overlap-none = больше не действует
bridge-rotated = Прежний секрет действует до { $time }.
bridge-events = Что она присылала
bridge-events-hint = Последние 500 за 24 часа, с запуска сервера.
bridge-events-none = Пока ничего не пришло. Список обновляется сам.
bridge-verdict-stored = Сохранено
bridge-verdict-duplicate = Повтор
bridge-verdict-quarantined = В карантине
bridge-verdict-taken = Принято
bridge-verdict-refused = Отклонено
bridge-verdict-failed = Сбой

# ---- calls
nav-calls = Звонки
call = Звонок
calls-ringing = Входящие звонки
call-announce = Звонит { $name }
call-notify = Входящий звонок: { $number }
call-rings = Входящий звонок
call-hidden = Скрытый номер
call-dismiss = Закрыть карточку
call-dialled = Набран
call-before = Раньше
call-who = Оператор
call-talked = Разговор
call-direction = Направление
call-direction-inbound = Входящий
call-direction-outbound = Исходящий
call-direction-internal = Внутренний
call-ringing = Звонит
call-calling = Набираем
call-talking = Идёт разговор
call-in-answered = Отвечен
call-out-answered = Исходящий звонок
call-internal-answered = Внутренний звонок
call-missed = Пропущенный звонок
call-voicemail = Голосовая почта
call-busy = Занято
call-failed = Не удалось
call-canceled = Отменён
call-no-answer = Нет ответа
call-attempt = { $count ->
    [one] { $count } попытка
    [few] { $count } попытки
   *[other] { $count } попыток
  }
call-transcript = О чём говорили
call-back = Позвонить
call-asked = Сначала зазвонит ваш телефон { $extension }
recording = Запись
recording-voicemail = Голосовое сообщение
recording-play = Слушать
recording-pause = Пауза
recording-place = Место в записи
recording-pace = Скорость { $pace }
recording-broken = Эту запись нельзя прослушать здесь. Скачайте её.
recording-coming = Запись скоро появится
recording-failed = Запись не удалось получить
calls-find = Номер
calls-everybody = Все операторы
calls-all-directions = Все направления
calls-since = С
calls-until = По
export = Экспорт
calls-empty = Звонков пока нет
calls-empty-text = Звонки появятся здесь, как только о них сообщит телефонный канал.
key-open-call = Открыть звонящего
key-close-call = Закрыть карточку звонящего
phone-addresses = Адреса для провайдера
phone-addresses-hint = Введите их в настройках провайдера точно так, как здесь.
phone-events-hint = Последние сообщения телефонной системы и что из них вышло. Позвоните и посмотрите сюда.
phone-numbers = Наши номера
phone-numbers-hint = Что означает каждый номер: лиды звонящих получают его источник.
phone-number = Номер
phone-label = Название
phone-source = Источник
phone-medium = Канал (medium)
phone-campaign = Кампания
phone-number-add = Добавить номер
phone-operators = Телефоны
phone-operators-hint = Чей телефон на добавочном номере: для него появляется карточка звонка, и звонок считается его.
phone-extension = Добавочный
phone-operator-add = Добавить телефон
may-read = По вашей роли — только чтение.
